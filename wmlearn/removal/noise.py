"""Shake the weights, then train on: a mark that needs exact weights is lost (Lukas and others: SoK, S&P 2022:
weight shifting).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..data import Samples
from ..errors import require
from ..training import Recipe, train
from .copies import attacked, layers, sound_copy


@dataclass(frozen=True)
class Shift:
    """Add normal noise, `strength` deviations of a layer's weights; train on where there is a `recipe`."""

    strength: float = 0.5
    recipe: Recipe | None = Recipe(epochs=3, lr=1e-3)
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.strength >= 0, "strength must not be negative", self.strength)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        draw = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for layer in layers(new, nn.Conv2d, nn.Linear):
                weight = layer.weight
                noise = torch.randn(weight.shape, generator=draw).to(weight)
                weight.add_(self.strength * weight.std() * noise)
        if self.recipe is not None:
            train(new, samples, self.recipe)
        return attacked(model, new.eval(), samples)
