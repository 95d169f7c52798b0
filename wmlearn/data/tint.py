"""Pictures as other cameras in other light would have taken them: gamma, saturation, the colour of the light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import require
from .jitter import CHUNK
from .samples import Samples
from .signs.dice import Dice, Range


@dataclass(frozen=True)
class Tint:
    """How far contrast and colours may differ; every picture gets values of its own."""

    gamma: float = 2.0  # the exponent lies between 1 / gamma and gamma: dark parts grow darker or brighter than bright ones
    saturation: Range = (0.3, 1.2)  # 0: grey
    gain: float = 0.2  # each colour by itself, both ways

    def __post_init__(self) -> None:
        require(self.gamma >= 1, "gamma must be at least 1", self.gamma)
        require(0 <= self.saturation[0] <= self.saturation[1], "saturation must be a range from 0 on, low first", self.saturation)
        require(0 <= self.gain < 1, "gain must lie in [0, 1)", self.gain)

    def __call__(self, samples: Samples, *, seed: int = 0) -> Samples:
        """Return the samples in other light. All randomness is drawn on the CPU, so that every device gets the same."""
        n, dice, x = len(samples), Dice.of(seed), samples.x
        gamma = dice.geometric(1 / self.gamma, self.gamma, n, 1, 1, 1).to(x)
        saturation = dice.uniform(*self.saturation, n, 1, 1, 1).to(x)
        gain = dice.uniform(1 - self.gain, 1 + self.gain, n, x.shape[1], 1, 1).to(x)
        parts = zip(*(each.split(CHUNK) for each in (x, gamma, saturation, gain)), strict=True)
        return replace(samples, x=torch.cat([_lit(*part) for part in parts]))


def _lit(x: Tensor, gamma: Tensor, saturation: Tensor, gain: Tensor) -> Tensor:
    bent = x**gamma
    grey = bent.mean(1, keepdim=True)
    return ((grey + (bent - grey) * saturation) * gain).clamp_(0, 1)
