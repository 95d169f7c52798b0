"""What a network's layers say about images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import require
from ..training import predict


def layers(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Return what each convolution and each linear layer answers to images (N, C, H, W), in order: (N,
    features of that layer) each.
    """
    found = _found(model)
    said: dict[nn.Module, list[Tensor]] = {layer: [] for layer in found}

    def listen(layer: nn.Module, given: Any, answer: Tensor) -> None:
        said[layer].append(answer.flatten(1))

    handles = [layer.register_forward_hook(listen) for layer in found]
    try:
        predict(model, x)
    finally:
        for handle in handles:
            handle.remove()
    return [torch.cat(said[layer]) for layer in found]


def penultimate(model: nn.Module, x: Tensor) -> Tensor:
    """Return what the last linear layer is given for images (N, C, H, W), (N, features)."""
    linear = [layer for layer in _found(model) if isinstance(layer, nn.Linear)]
    require(len(linear) > 0, "the model must end in a linear layer", type(model).__name__)
    heard: list[Tensor] = []
    handle = linear[-1].register_forward_pre_hook(lambda layer, given: heard.append(given[0]))
    try:
        predict(model, x)
    finally:
        handle.remove()
    return torch.cat(heard)


def principal(features: Tensor, n: int, rounds: int = 12) -> Tensor:
    """Return the first `n` principal components of `features` (N, F), the strongest first, (N, n).

    By subspace iteration, which decomposes no F x F matrix: N. Halko, P. Martinsson, J. Tropp, SIAM Review
    2011, algorithm 4.4.
    """
    centred = features - features.mean(0)
    basis = torch.randn(
        features.shape[1], min(features.shape[1], n + 8), generator=torch.Generator().manual_seed(0)
    ).to(features)
    for _ in range(rounds):
        basis = torch.linalg.qr(centred.T @ (centred @ basis)).Q
    u, s, _ = torch.linalg.svd(centred @ basis, full_matrices=False)
    return u[:, :n] * s[:n]


def _found(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
