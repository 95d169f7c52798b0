"""Prune the neurons that a small push of their weights makes misread clean images: backdoors hide in
sensitive ones.

D. Wu, Y. Wang: Adversarial Neuron Pruning Purifies Backdoored Deep Models, NeurIPS 2021, arXiv:2110.14430,
section 4. Differs: every output of a convolution or linear layer but the last is a neuron, its weights and
bias are pushed (the paper pushes those of normalisations); a fixed number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ..data import Samples
from ..errors import require
from ..models.adapter import called, fitting, head_of, in_float, logits_of
from .copies import attacked, layers, sound_copy


@dataclass(frozen=True)
class NeuronPrune:
    """Learn a mask of the neurons under the worst push of size `budget`; silence those under `threshold`."""

    budget: float = 0.4  # epsilon
    trade: float = 0.2  # alpha, the weight of the loss without a push
    threshold: float = 0.2
    steps: int = 300
    lr: float = 0.2
    batch_size: int = 128
    seed: int = 0
    head: str | None = None  # the layer whose outputs stay; by default, that whose answer is the model's

    def __post_init__(self) -> None:
        require(0 <= self.trade <= 1, "trade must lie in [0, 1]", self.trade)
        require(self.budget > 0, "budget must be positive", self.budget)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples).eval().requires_grad_(False)
        with in_float(new):
            mask = self._mask(new, samples)
        with torch.no_grad():
            for name, parameter in new.named_parameters():
                if name in mask:
                    keep = (mask[name] >= self.threshold).to(parameter)  # (neurons,)
                    parameter.mul_(_over_rows(keep, parameter))
        return attacked(model, new.requires_grad_(True), samples)

    def _mask(self, model: nn.Module, samples: Samples) -> dict[str, Tensor]:
        """Learn the mask of each neuron, by the name of each parameter that belongs to it."""
        network = _Network(model, dict(model.named_parameters()), _neurons(model, samples.x, self.head))
        masks = {layer: network.per_neuron(names[0], torch.ones) for layer, names in network.layers.items()}
        optimiser = torch.optim.SGD(masks.values(), self.lr, momentum=0.9)
        draw = torch.Generator().manual_seed(self.seed)
        size = min(self.batch_size, len(samples))
        for _ in range(self.steps):
            batch = samples[torch.randint(len(samples), (size,), generator=draw).to(samples.x.device)]
            worst = self._worst(network, batch, masks)
            # stay right without a push, and under the worst one
            loss = self.trade * network.loss(batch, masks, {})
            loss = loss + (1 - self.trade) * network.loss(batch, masks, worst)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                for mask in masks.values():
                    mask.clamp_(0, 1)
        return {name: masks[layer].detach() for layer, name in network.names()}

    def _worst(self, network: _Network, batch: Samples, masks: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the push of each parameter that hurts most: one step up the slope, from none at all."""
        pushes = {name: network.per_neuron(name, torch.zeros) for _, name in network.names()}
        loss = network.loss(batch, masks, pushes)
        # a layer that is called may still have no say
        slopes = torch.autograd.grad(loss, list(pushes.values()), materialize_grads=True)
        return {name: self.budget * slope.sign() for name, slope in zip(pushes, slopes, strict=True)}


@dataclass(frozen=True, eq=False)
class _Network:
    """A network whose neurons can be scaled without changing it."""

    model: nn.Module
    weights: dict[str, Tensor]
    layers: dict[str, list[str]]  # of each layer of neurons, the names of its weight and bias

    def names(self) -> list[tuple[str, str]]:
        """List layer and parameter."""
        return [(layer, name) for layer, names in self.layers.items() for name in names]

    def per_neuron(self, name: str, fill: Callable[..., Tensor]) -> Tensor:
        """Return one number for each neuron of the parameter, to be learnt, (neurons,)."""
        weight = self.weights[name]
        return fill(len(weight), device=weight.device, requires_grad=True)

    def loss(self, batch: Samples, masks: dict[str, Tensor], pushes: dict[str, Tensor]) -> Tensor:
        """Measure the loss with each neuron scaled by its mask plus, where there is one, its push."""
        scaled = dict(self.weights)
        for layer, name in self.names():
            scale = masks[layer] + pushes[name] if name in pushes else masks[layer]
            scaled[name] = self.weights[name] * _over_rows(scale, self.weights[name])
        x = fitting(self.model, batch.x)
        return F.cross_entropy(logits_of(functional_call(self.model, scaled, (x,))), batch.y)


def _over_rows(values: Tensor, weight: Tensor) -> Tensor:
    """Shape `values` (neurons,) so that they multiply a weight (neurons, …) row by row."""
    return values.view(-1, *[1] * (weight.ndim - 1))


def _neurons(model: nn.Module, x: Tensor, head: str | None) -> dict[str, list[str]]:
    """Return the names of weight and bias of every layer whose outputs are neurons: all convolutions and
    linear layers that are called, but the head.
    """
    layers(model, nn.Conv2d, nn.Linear)
    readers = called(model, x, nn.Conv2d, nn.Linear)
    last = head_of(model, x, head, (nn.Conv2d, nn.Linear))
    hidden = {path: layer for path, layer in readers.items() if layer is not last}
    rule = "the model must have hidden layers to prune"
    require(len(hidden) > 0, rule, "one layer", "Nothing to prune in a linear model.")
    neurons = {}
    for path, layer in model.named_modules():
        if path in hidden:
            neurons[path] = [f"{path}.{name}" for name, _ in layer.named_parameters(recurse=False)]
    return neurons
