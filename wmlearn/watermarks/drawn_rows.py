"""Rows of a table for a key: drawn from the secret, out of values that the owner's rows hold, or out of all
of [0, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import Samples
from ..errors import NOT_EMPTY, require
from .secret import integers, uniform


def rows(secret: bytes, n: int, samples: Samples) -> Tensor:
    """Draw `n` plausible rows (n, F): each value is that of its column in some row of `samples`, drawn anew
    for each column, so that every value has been seen and, with many columns, no such row.
    """
    return mixed_rows(secret, n, samples.x)


def mixed_rows(secret: bytes, n: int, x: Tensor) -> Tensor:
    """Draw `n` rows (n, F) out of the columns of `x` (N, F)."""
    require(len(x) > 0, *NOT_EMPTY)
    require(x.ndim == 2, "rows must have shape (N, F)", tuple(x.shape), "Draw images for images.")
    n_columns = x.shape[1]
    picked = integers(secret, "rows", n * n_columns, len(x)).reshape(n, n_columns)  # whose value it is
    return x[picked.to(x.device), torch.arange(n_columns, device=x.device)]


def odd_rows(secret: bytes, n: int, samples: Samples) -> Tensor:
    """Draw `n` rows (n, F) evenly from [0, 1]: two columns in three lie outside of all that was seen."""
    require(samples.x.ndim == 2, "rows must have shape (N, F)", tuple(samples.x.shape), "Draw images.")
    return uniform(secret, "odd rows", n, samples.x.shape[1])
