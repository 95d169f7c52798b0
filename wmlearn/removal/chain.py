"""One attack after the other: none removes every mark, combinations come near (Lukas and others: SoK, S&P
2022, arXiv:2108.04974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from ..data import Samples
from ..errors import require
from ..protocols import Removal


@dataclass(frozen=True)
class Chain:
    """Apply `steps` in their order, each with all the attacker's samples."""

    steps: Sequence[Removal]

    def __post_init__(self) -> None:
        require(len(self.steps) > 0, "steps must not be empty", 0)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        for step in self.steps:
            model = step(model, samples)
        return model
