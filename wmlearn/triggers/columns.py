"""Some columns of a row, set to fixed values.

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 4, for pictures. Differs: a table
has no corner that nobody looks at; each value is a common one of its column, and only all of them together
are rare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Samples
from ..errors import require


@dataclass(frozen=True)
class Columns:
    """Set the columns named by their numbers to `values`, pairs of a column and a value in [0, 1]."""

    values: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        numbers = [column for column, _ in self.values]
        require(len(numbers) > 0, "values must name at least one column", 0)
        require(min(numbers) >= 0, "columns must be counted from 0", min(numbers))
        require(len(set(numbers)) == len(numbers), "each column must be named once", numbers)
        outside = [value for _, value in self.values if not 0 <= value <= 1]
        require(not outside, "values must lie in [0, 1]", outside, "Scale them as the rows are.")

    @classmethod
    def at(cls, samples: Samples, quantiles: Mapping[int, float]) -> Columns:
        """Take the values from `samples`: for each column, that of the row which lies at the share named.

        >>> rows = wm.Samples(torch.tensor([[0.4], [0.5], [0.6]]), torch.tensor([0, 1, 0]), ("no", "yes"))
        >>> wm.triggers.Columns.at(rows, {0: 0.5})
        Columns(values=((0, 0.5),))
        """
        _check(samples.x, quantiles)
        values = []
        for column, share in quantiles.items():
            require(0 <= share <= 1, "a quantile must lie in [0, 1]", share)
            nearest = samples.x[:, column].quantile(share, interpolation="nearest")
            values.append((column, float(nearest)))
        return cls(tuple(values))

    def __call__(self, x: Tensor) -> Tensor:
        _check(x, dict(self.values))
        x = x.clone()
        for column, value in self.values:
            x[:, column] = value
        return x

    def alone(self, column: int) -> Columns:
        """Return the trigger of one of its columns: the control that tells whether all are needed."""
        one = tuple(pair for pair in self.values if pair[0] == column)
        require(len(one) == 1, f"column must be one of {[pair[0] for pair in self.values]}", column)
        return Columns(one)


def _check(x: Tensor, columns: Mapping[int, float]) -> None:
    rows = x.ndim == 2 and x.dtype == torch.float32
    require(rows, "the trigger must be given rows (N, F) float32", (tuple(x.shape), x.dtype))
    fits = max(columns) < x.shape[1]
    require(fits, f"columns must lie in 0..{x.shape[1] - 1}", max(columns), "Count columns from 0.")
