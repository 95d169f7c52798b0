"""What several experiments work with: MNIST, wrong labels at random, and numbers as their rows hold them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from ..data import Splits, load
from ..training import best_device


@lru_cache(1)
def mnist() -> Splits:
    """MNIST where this machine is fastest, loaded once a process."""
    return load("mnist").to(best_device())


def another_class(n_classes: int, seed: int) -> Callable[[Tensor], Tensor]:
    """Return a map from labels (N,) to wrong ones, drawn at random anew in every call."""
    lot = torch.Generator().manual_seed(seed)
    return lambda y: (y + torch.randint(1, n_classes, y.shape, generator=lot).to(y.device)) % n_classes


def rounded(value: float) -> float:
    """Round to the six decimals that a row holds."""
    return round(value, 6)


def share(which: Tensor) -> float:
    """Return the share of `which` (N,) bool that is true, rounded."""
    return rounded(which.float().mean().item())
