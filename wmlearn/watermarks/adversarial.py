"""Images pushed across a decision boundary: what two schemes make their keys of."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, require_numbers
from ..errors import require
from ..models import forward, opened
from ..training import predict

BATCH = 128  # images whose slopes stay in a processor's cache


def pushed(model: nn.Module, x: Tensor, label: Tensor, size: float) -> Tensor:
    """Change each pixel of the images (N, C, H, W) by `size` towards the class `label` (N,), or away from it
    where `size` is negative.

    One step of the fast gradient sign method (Goodfellow, Shlens, Szegedy 2015, section 4); the result stays
    in [0, 1].
    """
    network = copy.deepcopy(opened(model)).eval()
    batches = zip(x.split(BATCH), label.split(BATCH), strict=True)
    return torch.cat([_pushed(network, images, to, size) for images, to in batches])


def _pushed(network: nn.Module, x: Tensor, label: Tensor, size: float) -> Tensor:
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(forward(network, x), label, reduction="sum")
    (slope,) = torch.autograd.grad(loss, x)
    return (x - size * slope.sign()).detach().clamp(0, 1)


def understood(model: nn.Module, pool: Samples) -> Tensor:
    """Return the model's logits (N, classes) for images, more than half of which it must classify correctly.

    Raises `ArgumentError` otherwise: a model that is not trained yet has no boundary to push across.
    """
    require_numbers(pool.x, "a scheme of pushed inputs")
    logits = predict(model, pool.x)
    right = float((logits.argmax(1) == pool.y).float().mean())
    rule = "the model must be trained: over half of the samples right"
    require(right > 0.5, rule, f"{right:.0%}", "Train it on them before keygen.")
    return logits[:, : len(pool.classes)]
