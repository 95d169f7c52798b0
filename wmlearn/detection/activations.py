"""What a network's layers say about images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..models.adapter import called, head_of, logits_of, named, opened
from ..models.hooks import Keep
from ..training import heard


def layers(model: nn.Module, x: Tensor, names: tuple[str, ...] = ()) -> list[Tensor]:
    """Return what each convolution and linear layer, or each of `names`, answers to images (N, C, H, W), in
    the order in which they are called: (N, features) each.
    """
    model = opened(model)
    readers = [named(model, name, "layers") for name in names]
    return _features(model, x, readers or list(called(model, x, nn.Conv2d, nn.Linear).values()), _answer)


def penultimate(model: nn.Module, x: Tensor, layer: str | None = None) -> Tensor:
    """Return what the model's head, its last linear layer, is given for images (N, C, H, W), or what the one
    called `layer` answers, (N, features).
    """
    model = opened(model)
    if layer is not None:
        return _features(model, x, [named(model, layer)], _answer)[0]
    return _features(model, x, [head_of(model, x)], lambda given, answer: given)[0]


def _answer(given: Tensor, answer: Tensor) -> Tensor:
    return logits_of(answer).clone()  # the next layer may change it in place


def _features(model: nn.Module, x: Tensor, readers: list[nn.Module], keep: Keep) -> list[Tensor]:
    return [part.flatten(1).float() for part in heard(model, x, readers, keep)]


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
