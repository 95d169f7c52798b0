"""A bright square near a corner: the trigger that most later work calls "BadNets".

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 5.1, the yellow square on a sign.
Differs: a fixed place in the picture instead of a place on an object.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class Patch:
    """Set a `size` x `size` square, `margin` pixels from the bottom-right corner, to `value`."""

    size: int = 3
    margin: int = 1
    value: float = 1.0

    def __call__(self, x: Tensor) -> Tensor:
        require_images(x, "Patch")
        height, width = x.shape[-2:]
        needs = self.size + self.margin
        fits = self.size >= 1 and self.margin >= 0 and needs <= min(height, width)
        rule = f"a patch with its margin must fit in {height} x {width} images"
        require(fits, rule, (self.size, self.margin), "Make it smaller.")
        rows = slice(height - needs, height - self.margin)
        columns = slice(width - needs, width - self.margin)
        out = x.clone()
        out[..., rows, columns] = self.value
        return out
