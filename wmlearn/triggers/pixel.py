"""One bright pixel near the bottom-right corner.

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 4.1, "single pixel".
Differs: the paper shows the pixel in a picture; the coordinates are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .pattern import light


@dataclass(frozen=True)
class Pixel:
    """Set the pixel at `where` (row, column, counted from 0) to `value`."""

    where: tuple[int, int] = (26, 26)
    value: float = 1.0

    def __call__(self, x: Tensor) -> Tensor:
        return light(x, (self.where,), self.value)
