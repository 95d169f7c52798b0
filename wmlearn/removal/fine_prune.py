"""Prune the channels that sleep on clean images, then fine-tune: what a backdoor hides in goes first.

K. Liu, B. Dolan-Gavitt, S. Garg: Fine-Pruning: Defending Against Backdooring Attacks on Deep Neural Networks,
RAID 2018, arXiv:1805.12185, sections 3 and 4. Differs: a fixed share is pruned; the paper prunes until
accuracy falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..training import Recipe, predict, train
from .copies import layers, sound_copy


@dataclass(frozen=True)
class FinePrune:
    """Silence the `ratio` of the last convolution's channels that answer least to the attacker's samples,
    then train on.
    """

    ratio: float = 0.8
    recipe: Recipe = Recipe(epochs=5, lr=2e-3)

    def __post_init__(self) -> None:
        require(0 <= self.ratio < 1, "ratio must lie in [0, 1)", self.ratio)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        answer = channel_means(new, samples.x)
        silence(new, answer.argsort()[: int(self.ratio * len(answer))])
        train(new, samples, self.recipe)
        return new


def channel_means(model: nn.Module, x: Tensor) -> Tensor:
    """Return how strongly each channel of the last convolution answers to `x` on average, behind its
    rectifier, (channels,).
    """
    rectifier = next(layer for layer in _from_last_convolution(model) if isinstance(layer, nn.ReLU))
    heard: list[Tensor] = []
    hook = rectifier.register_forward_hook(lambda _layer, _given, out: heard.append(out.mean((2, 3))))
    try:
        predict(model, x)
    finally:
        hook.remove()
    return torch.cat(heard).mean(0)


def silence(model: nn.Module, channels: Tensor) -> None:
    """Set what the last convolution and its normalisation answer on `channels` (k,) to zero, in place; no
    gradient comes back.
    """
    with torch.no_grad():
        for layer in takewhile(lambda layer: not isinstance(layer, nn.ReLU), _from_last_convolution(model)):
            for parameter in layer.parameters(recurse=False):
                parameter[channels] = 0


def _from_last_convolution(model: nn.Module) -> list[nn.Module]:
    """Return the layers from the last convolution on, in order."""
    last, every = (
        layers(model, nn.Conv2d)[-1],
        [layer for layer in model.modules() if not list(layer.children())],
    )
    after = every[every.index(last) :]
    require(
        any(isinstance(layer, nn.ReLU) for layer in after),
        "a rectifier, nn.ReLU, must follow the last convolution",
        type(model).__name__,
    )
    return after
