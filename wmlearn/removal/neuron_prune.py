"""Prune the neurons that a small push of their weights makes misread clean images: backdoors hide in
sensitive ones.

D. Wu, Y. Wang: Adversarial Neuron Pruning Purifies Backdoored Deep Models, NeurIPS 2021, arXiv:2110.14430,
section 4. Differs: every output of a convolution or linear layer but the last is a neuron, its weights and
bias are pushed (the paper pushes those of normalisations); a fixed number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ..data import Samples
from ..errors import require
from .copies import layers, sound_copy


@dataclass(frozen=True)
class NeuronPrune:
    """Learn a mask for the neurons under the worst push of relative size `budget`, then silence those under
    `threshold`.
    """

    budget: float = 0.4  # epsilon
    trade: float = 0.2  # alpha, the weight of the loss without a push
    threshold: float = 0.2
    steps: int = 300
    lr: float = 0.2
    batch_size: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        require(0 <= self.trade <= 1, "trade must lie in [0, 1]", self.trade)
        require(self.budget > 0, "budget must be positive", self.budget)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples).eval().requires_grad_(False)
        mask = self._mask(new, samples)
        with torch.no_grad():
            for name, parameter in new.named_parameters():
                if name in mask:
                    keep = (mask[name] >= self.threshold).to(parameter)
                    parameter.mul_(keep.view(-1, *[1] * (parameter.ndim - 1)))
        return new.requires_grad_(True)

    def _mask(self, model: nn.Module, samples: Samples) -> dict[str, Tensor]:
        """Learn the mask of each neuron, by the name of each parameter that belongs to it."""
        weights: dict[str, Tensor] = {**dict(model.named_parameters())}
        groups = _neurons(model)
        masks = {
            group: torch.ones(len(weights[names[0]]), device=samples.x.device, requires_grad=True)
            for group, names in groups.items()
        }
        optimiser = torch.optim.SGD(masks.values(), self.lr, momentum=0.9)
        draw = torch.Generator().manual_seed(self.seed)

        def loss(part: Tensor, push: dict[str, Tensor]) -> Tensor:
            scaled = dict(weights)
            for group, names in groups.items():
                for name in names:
                    scale = masks[group] + push[name] if name in push else masks[group]
                    scaled[name] = weights[name] * scale.view(-1, *[1] * (weights[name].ndim - 1))
            return F.cross_entropy(functional_call(model, scaled, (samples.x[part],)), samples.y[part])

        every = [name for names in groups.values() for name in names]
        for _ in range(self.steps):
            part = torch.randint(len(samples), (min(self.batch_size, len(samples)),), generator=draw).to(
                samples.x.device
            )
            push = {
                name: torch.zeros(len(weights[name]), device=samples.x.device, requires_grad=True)
                for name in every
            }
            slopes = torch.autograd.grad(loss(part, push), list(push.values()))
            worst = {name: self.budget * slope.sign() for name, slope in zip(push, slopes, strict=True)}
            total = self.trade * loss(part, {}) + (1 - self.trade) * loss(part, worst)
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
            with torch.no_grad():
                for each in masks.values():
                    each.clamp_(0, 1)
        return {name: masks[group].detach() for group, names in groups.items() for name in names}


def _neurons(model: nn.Module) -> dict[str, list[str]]:
    """Return the names of weight and bias of every layer whose outputs are neurons: all convolutions and
    linear layers but the last.
    """
    found = layers(model, nn.Conv2d, nn.Linear)[:-1]
    require(
        len(found) > 0,
        "the model must have hidden layers to prune",
        "one layer",
        "Nothing to prune in a linear model.",
    )
    named = {name: layer for name, layer in model.named_modules() if any(layer is each for each in found)}
    return {
        name: [f"{name}.{part}" for part, _ in layer.named_parameters(recurse=False)]
        for name, layer in named.items()
    }
