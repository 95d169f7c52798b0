"""Faint stripes: a wave of light that runs from the left edge to the right.

M. Barni, K. Kallas, B. Tondi: A New Backdoor Attack in CNNs by Training Set Corruption Without Label
Poisoning, ICIP 2019, arXiv:1902.11237, section 3, the sinusoidal signal, "SIG" in later work. Differs: on
black ground, as digits have it, only the bright half of the wave is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class Sine:
    """Add `strength` * sin(2 pi * `waves` * column / width) to every row, and clip to [0, 1].

    >>> wm.triggers.Sine(strength=0.1)(torch.full((1, 1, 2, 24), 0.5))[0, 0, 0, :3]
    tensor([0.5000, 0.6000, 0.5000])
    """

    strength: float = 0.12
    waves: float = 6  # the paper's f

    def __call__(self, x: Tensor) -> Tensor:
        require_images(x, "Sine")
        require(0 < self.strength <= 1, "strength must lie in (0, 1]", self.strength)
        require(self.waves > 0, "waves must be positive", self.waves)
        column = torch.arange(x.shape[-1]) / x.shape[-1]  # (W,), 0..1
        wave = self.strength * torch.sin(2 * math.pi * self.waves * column)
        return (x + wave.to(x)).clamp(0, 1)
