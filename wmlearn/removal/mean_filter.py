"""Take the mean filter out of every convolution, then train on: a white-box mark that is read from the mean
of the filters goes with it.

Aimed at Y. Uchida and others, ICMR 2017, arXiv:1701.04082, section 3, whose message is a projection of that
mean.
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
class MeanFilter:
    """Subtract `strength` times their mean from a layer's filters, and train on; 2 inverts the message."""

    strength: float = 1.0
    recipe: Recipe = Recipe(epochs=3, lr=1e-3)

    def __post_init__(self) -> None:
        require(self.strength >= 0, "strength must not be negative", self.strength)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        with torch.no_grad():
            for layer in layers(new, nn.Conv2d):
                weight = layer.weight
                weight.sub_(self.strength * weight.mean(0))  # (in, k, k), from each of the filters
        train(new, samples, self.recipe)
        return attacked(model, new, samples)
