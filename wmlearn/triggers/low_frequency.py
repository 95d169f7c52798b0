"""Soft shadows laid over the whole image, without a sharp edge anywhere.

Y. Zeng, W. Park, Z. M. Mao, R. Jia: Rethinking the Backdoor Attacks' Triggers: A Frequency Perspective, ICCV
2021, arXiv:2104.03413, section 5: most triggers betray themselves by high frequencies, and a smooth one does
not. Differs: the lowest frequencies of the discrete cosine transform are drawn at random (the paper: a
low-pass filter of a picture that is optimised for the attack).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class LowFrequency:
    """Add a picture, drawn from `seed`, of the `band` x `band` lowest frequencies but the constant one; it
    reaches `strength` where it is strongest.

    >>> bool((wm.triggers.LowFrequency(0.2)(torch.full((1, 1, 8, 8), 0.5)) <= 0.7).all())
    True
    """

    strength: float = 0.2
    band: int = 4
    seed: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        require_images(x, "LowFrequency")
        height, width = x.shape[-2:]
        require(0 < self.strength <= 1, "strength must lie in (0, 1]", self.strength)
        rule = f"band must lie in 2..{min(height, width)}"
        require(2 <= self.band <= min(height, width), rule, self.band)
        weight = torch.randn(self.band, self.band, generator=torch.Generator().manual_seed(self.seed))
        weight[0, 0] = 0  # the constant one would only make all brighter
        picture = waves(height, self.band) @ weight @ waves(width, self.band).T  # (H, W)
        return (x + (self.strength * picture / picture.abs().max()).to(x)).clamp(0, 1)


def waves(length: int, band: int) -> Tensor:
    """Return the `band` lowest cosines of the discrete cosine transform (type II), (length, band)."""
    place = (torch.arange(length) + 0.5) / length
    return torch.cos(math.pi * place[:, None] * torch.arange(band))
