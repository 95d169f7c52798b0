"""Prune the channels that sleep on clean images, then fine-tune: what a backdoor hides in goes first.

K. Liu, B. Dolan-Gavitt, S. Garg: Fine-Pruning: Defending Against Backdooring Attacks on Deep Neural Networks,
RAID 2018, arXiv:1805.12185, sections 3 and 4. Differs: a fixed share is pruned; the paper prunes until
accuracy falls. In a residual network the last convolution's own part is silenced; what passes beside it
stays.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..models.adapter import called, convolutions, named, opened
from ..training import Recipe, heard, train
from .copies import attacked, layers, sound_copy

READERS = (nn.Conv2d, nn.Linear)


@dataclass(frozen=True)
class FinePrune:
    """Silence the `ratio` of the last convolution's channels that answer least, then train on."""

    ratio: float = 0.8
    recipe: Recipe = Recipe(epochs=5, lr=2e-3)
    layer: str | None = None  # what is pruned, convolution or linear; by default, the last convolution called

    def __post_init__(self) -> None:
        require(0 <= self.ratio < 1, "ratio must lie in [0, 1)", self.ratio)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        start = sound_copy(model, samples)
        names = pruned_layers(start, samples.x, self.layer)
        strength = channel_means(start, samples.x, self.layer)  # (channels,)
        asleep = strength.argsort()[: int(self.ratio * len(strength))]
        new = silence(start, asleep, names)
        train(new, samples, self.recipe)
        # a rectifier lets no slope through at 0; other activations do, and wake what sleeps
        return attacked(model, silence(new, asleep, names), samples)


def pruned_layers(model: nn.Module, x: Tensor, layer: str | None = None) -> tuple[str, ...]:
    """Name the layer to prune, and the batch normalisation that is called next where it has its channels.

    Raises `ArgumentError` for a model without convolution, or one whose only convolution cuts images into
    patches, as transformers do.
    """
    steps = called(model, x, *READERS, nn.BatchNorm1d, nn.BatchNorm2d)
    if layer is None:
        layers(model, nn.Conv2d)
        layer = _last_convolution(model, x, steps)
    reader = named(model, layer)
    known = ", ".join(name for name, step in steps.items() if isinstance(step, READERS))
    require(isinstance(reader, READERS), f"layer must be one of {known}", layer)
    require(layer in steps, f"layer must be one that the model calls, one of {known}", layer)
    order = list(steps)
    after = order[order.index(layer) + 1 :][:1]
    channels = len(reader.weight)  # pyrefly: ignore[bad-argument-type]
    norms = [name for name in after if getattr(steps[name], "num_features", 0) == channels]
    return (layer, *norms)


def _last_convolution(model: nn.Module, x: Tensor, steps: dict[str, nn.Module]) -> str:
    """Return the name of the last convolution called; refuse one that is the stem of a transformer."""
    names = convolutions(model, x)
    require(len(names) > 0, "the model must call a convolution", type(model).__name__, "Name a layer.")
    linear = [step for step in steps.values() if isinstance(step, nn.Linear)]
    dims = [answer.ndim for answer in heard(model, x[:1], linear, lambda given, answer: answer)]
    stem = next(iter(steps)) == names[-1] and max(dims, default=0) > 2  # patches, then places of a text
    rule = "the last convolution must be no stem that cuts images into patches"
    fix = 'Name a layer, for instance the first linear one of the last block: layer="…".'
    require(not stem, rule, names[-1], fix)
    return names[-1]


def channel_means(model: nn.Module, x: Tensor, layer: str | None = None) -> Tensor:
    """Return how strongly each channel of the last convolution, or of `layer`, answers to `x`, normalised
    and rectified, (channels,).
    """
    model = opened(model)
    last = named(model, pruned_layers(model, x, layer)[-1])
    (answers,) = heard(model, x, [last], _rectified)
    return answers.mean(0)


def _rectified(given: Tensor, answer: Tensor) -> Tensor:
    """Average the positive part of an answer (N, C, H, W) or (N, …, C) over its places, (N, C)."""
    positive = answer.relu().float()
    if positive.ndim == 4:
        return positive.mean((2, 3))
    return positive.flatten(1, -2).mean(1) if positive.ndim > 2 else positive


def silence(model: nn.Module, channels: Tensor, names: Sequence[str]) -> nn.Module:
    """Return a copy whose layers `names` answer 0 on `channels` (k,)."""
    new = copy.deepcopy(model)
    with torch.no_grad():
        for name in names:
            for parameter in named(new, name).parameters(recurse=False):
                parameter[channels] = 0
    return new
