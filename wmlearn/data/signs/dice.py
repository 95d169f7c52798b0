"""Random numbers in batches: one generator, and the few draws that a picture needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

Range = tuple[float, float]
"""The lowest and the highest value; both the same for a fixed one."""


@dataclass(frozen=True)
class Dice:
    """Draws of shape `shape` from one generator, in the order in which they are asked for."""

    generator: torch.Generator

    @classmethod
    def of(cls, seed: int) -> Dice:
        """Return dice that always fall the same way for `seed`."""
        return cls(torch.Generator().manual_seed(seed))

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw uniformly between `low` and `high`."""
        return torch.rand(*shape, generator=self.generator) * (high - low) + low

    def geometric(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw so that every doubling between `low` and `high` is as likely as any other."""
        return self.uniform(math.log(low), math.log(high), *shape).exp()

    def normal(self, *shape: int) -> Tensor:
        """Draw from the standard normal distribution."""
        return torch.randn(*shape, generator=self.generator)

    def below(self, high: int, *shape: int) -> Tensor:
        """Draw integers from 0 to `high` - 1."""
        return torch.randint(high, shape, generator=self.generator)

    def often(self, share: float, *shape: int) -> Tensor:
        """Draw 1.0 with probability `share`, else 0.0."""
        return (self.uniform(0, 1, *shape) < share).float()
