"""What a network's layers say about images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import require
from ..models import listening
from ..training import predict


def layers(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Return what each convolution and linear layer answers to images (N, C, H, W): (N, features) each."""
    readers = _readers(model)
    with listening(readers, lambda given, answer: answer.flatten(1)) as notes:
        predict(model, x)
    return [torch.cat(notes[layer]) for layer in readers]


def penultimate(model: nn.Module, x: Tensor) -> Tensor:
    """Return what the last linear layer is given for images (N, C, H, W), (N, features)."""
    linear = [layer for layer in _readers(model) if isinstance(layer, nn.Linear)]
    require(len(linear) > 0, "the model must end in a linear layer", type(model).__name__)
    with listening(linear[-1:], lambda given, answer: given) as notes:
        predict(model, x)
    return torch.cat(notes[linear[-1]])


def principal(features: Tensor, n: int, rounds: int = 12) -> Tensor:
    """Return the first `n` principal components of `features` (N, F), the strongest first, (N, n).

    By subspace iteration, which decomposes no F x F matrix: N. Halko, P. Martinsson, J. Tropp, SIAM Review
    2011, algorithm 4.4.
    """
    centred = features - features.mean(0)  # (N, F)
    width = min(features.shape[1], n + 8)  # a few more than asked for, which makes the first n sharper
    # not torch.pca_lowrank, which starts from the global generator
    basis = torch.randn(features.shape[1], width, generator=torch.Generator().manual_seed(0)).to(features)
    for _ in range(rounds):
        basis = torch.linalg.qr(centred.T @ (centred @ basis)).Q  # (F, width)
    u, s, _ = torch.linalg.svd(centred @ basis, full_matrices=False)
    return u[:, :n] * s[:n]


def _readers(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
