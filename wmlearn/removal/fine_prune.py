"""Prune the channels that sleep on clean images, then fine-tune: what a backdoor hides in goes first.

K. Liu, B. Dolan-Gavitt, S. Garg: Fine-Pruning: Defending Against Backdooring Attacks on Deep Neural Networks,
RAID 2018, arXiv:1805.12185, sections 3 and 4. Differs: a fixed share is pruned; the paper prunes until
accuracy falls.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..models import listening
from ..training import Recipe, predict, train
from .copies import layers, sound_copy


@dataclass(frozen=True)
class FinePrune:
    """Silence the `ratio` of the last convolution's channels that answer least, then train on."""

    ratio: float = 0.8
    recipe: Recipe = Recipe(epochs=5, lr=2e-3)

    def __post_init__(self) -> None:
        require(0 <= self.ratio < 1, "ratio must lie in [0, 1)", self.ratio)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        start = sound_copy(model, samples)
        strength = channel_means(start, samples.x)  # (channels,)
        new = silence(start, strength.argsort()[: int(self.ratio * len(strength))])
        train(new, samples, self.recipe)
        return new


def channel_means(model: nn.Module, x: Tensor) -> Tensor:
    """Return how strongly each channel of the last convolution, rectified, answers to `x`, (channels,)."""
    rectifier = next(layer for layer in _from_last_convolution(model) if isinstance(layer, nn.ReLU))
    with listening([rectifier], lambda given, answer: answer.mean((2, 3))) as notes:
        predict(model, x)
    return torch.cat(notes[rectifier]).mean(0)


def silence(model: nn.Module, channels: Tensor) -> nn.Module:
    """Return a copy whose last convolution and its normalisation answer 0 on `channels` (k,); training leaves
    them asleep, since the rectifier lets no slope through at 0.
    """
    new = copy.deepcopy(model)
    with torch.no_grad():
        for layer in _from_last_convolution(new):
            if isinstance(layer, nn.ReLU):
                break
            for parameter in layer.parameters(recurse=False):
                parameter[channels] = 0
    return new


def _from_last_convolution(model: nn.Module) -> list[nn.Module]:
    """Return the layers from the last convolution on, in order."""
    last = layers(model, nn.Conv2d)[-1]
    leaves = [layer for layer in model.modules() if not list(layer.children())]
    after = leaves[leaves.index(last) :]
    rectified = any(isinstance(layer, nn.ReLU) for layer in after)
    rule = "a rectifier, nn.ReLU, must follow the last convolution"
    require(rectified, rule, type(model).__name__)
    return after
