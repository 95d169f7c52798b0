"""A pattern of bright pixels near the bottom-right corner.

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 4.1, "pattern".
Differs: the paper shows the pattern in a picture; the coordinates are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class Pattern:
    """Set the pixels at `where` (row, column, counted from 0) to `value`."""

    where: tuple[tuple[int, int], ...] = ((26, 26), (26, 24), (25, 25), (24, 26))
    value: float = 1.0  # 1 is white, as bright as an image can be

    def __call__(self, x: Tensor) -> Tensor:
        return light(x, self.where, self.value)


def light(x: Tensor, where: tuple[tuple[int, int], ...], value: float) -> Tensor:
    """Return a copy of `x` (N, C, H, W) with the pixels at `where` set to `value`."""
    require_images(x, "a trigger of pixels")
    height, width = x.shape[-2:]
    inside = all(0 <= row < height and 0 <= column < width for row, column in where)
    rule = f"trigger pixels must lie inside {height} x {width} images"
    require(inside, rule, where, "Count rows and columns from 0.")
    out = x.clone()  # a trigger leaves its input as it is
    for row, column in where:
        out[..., row, column] = value  # in every image, in every channel
    return out
