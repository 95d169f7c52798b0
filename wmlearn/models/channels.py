"""Channels that can change places: between two layers of a plain stack no order and no scale is special.

Deal the channels that leave one layer in another order and multiply each by a factor of its own; let the
next layer read them in that order, and divide: the network computes the same. This holds where only steps
stand between the two that treat all channels alike and keep their scale (ReLU, pooling, normalisation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import require
from .networks import FlattenChannelsLast

Layer = nn.Conv2d | nn.Linear
Norm = nn.BatchNorm1d | nn.BatchNorm2d

POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
PASSES = (nn.ReLU, nn.LeakyReLU, nn.Dropout, nn.Dropout2d, nn.Identity, *POOLS)
"""What treats each channel alike, and turns a channel times f, f > 0, into its answer times f."""
FLATTENS = (nn.Flatten, FlattenChannelsLast)


@dataclass(frozen=True, eq=False)
class Joint:
    """Where the channels of one layer enter the next, perhaps through a batch normalisation."""

    before: Layer
    norm: Norm | None
    after: Layer
    columns: Tensor  # (C, m) int64: each channel's inputs of `after`, whose weight is flattened to (out, -1)

    @property
    def scales(self) -> Tensor:
        """How strong each channel is, (C,): the length of its weights, or its normalisation's weight."""
        if self.norm is None:
            return self.before.weight.detach().flatten(1).norm(dim=1)
        return self.norm.weight.detach().abs()


def joints(model: nn.Module) -> list[Joint]:
    """Return, in order, where channels pass from one layer of `model` to the next.

    Raises `ArgumentError` for a model that isn't a stack of layers, or one in which something else than ReLU,
    pooling, flattening or batch normalisation stands between two layers.
    """
    rule = "the model must be an nn.Sequential of at least two layers, so that channels can change places"
    require(isinstance(model, nn.Sequential), rule, type(model).__name__)
    found: list[Joint] = []
    before: Layer | None = None
    between: list[nn.Module] = []
    for step in _steps(model):
        if not isinstance(step, nn.Conv2d | nn.Linear):
            between.append(step)
            continue
        if before is not None:
            found.append(_joint(before, between, step))
        before = step
        between = []
    require(len(found) > 0, rule, f"{len(found) + int(before is not None)} layers")
    return found


def _steps(model: nn.Module) -> Iterator[nn.Module]:
    """Yield what an nn.Sequential does, step by step, those inside it in their place."""
    for step in model.children():
        if isinstance(step, nn.Sequential):
            yield from _steps(step)
        else:
            yield step


def _joint(before: Layer, between: list[nn.Module], after: Layer) -> Joint:
    norms = [step for step in between if isinstance(step, nn.BatchNorm1d | nn.BatchNorm2d)]
    known = (*PASSES, *FLATTENS, nn.BatchNorm1d, nn.BatchNorm2d)
    strange = [type(step).__name__ for step in between if not isinstance(step, known)]
    rule = "between two layers only ReLU, pooling, flattening and one batch normalisation may stand"
    require(not strange and len(norms) <= 1, rule, ", ".join(strange) or f"{len(norms)} normalisations")
    grouped = [layer for layer in (before, after) if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    require(not grouped, "a convolution must read all of its channels", "one in groups")
    norm = norms[0] if norms else None
    plain = norm is not None and not norm.affine
    require(not plain, "a batch normalisation must have weights of its own", "one with affine=False")
    last = any(isinstance(step, FlattenChannelsLast) for step in between)
    return Joint(before, norm, after, _columns(len(before.weight), after, last))


def _columns(n: int, after: Layer, channels_last: bool) -> Tensor:
    """Say for each of `n` channels which inputs of `after` are its own, (n, m)."""
    inputs = torch.arange(after.weight[0].numel())
    fits = len(inputs) % n == 0
    require(fits, f"the next layer must read whole channels, {n} of them", f"{len(inputs)} inputs")
    return inputs.view(-1, n).T if channels_last else inputs.view(n, -1)


def deal(joint: Joint, order: Tensor, factors: Tensor) -> None:
    """Put channel `order[j]`, times `factors[j]` > 0, into place j, and let the next layer read it there and
    divide: what the network computes stays the same.
    """
    order = order.to(joint.before.weight.device)
    factors = factors.to(joint.before.weight)
    last = joint.before if joint.norm is None else joint.norm
    with torch.no_grad():
        for tensor in _per_channel(joint):
            tensor.copy_(tensor[order])
        for tensor in (last.weight, last.bias):
            if tensor is not None:
                tensor.mul_(factors.view(-1, *[1] * (tensor.ndim - 1)))
        _read_from(joint, order, factors)


def _per_channel(joint: Joint) -> list[Tensor]:
    """Return every tensor with one row a channel."""
    tensors = [joint.before.weight, joint.before.bias]
    if joint.norm is not None:
        norm = joint.norm
        tensors += [norm.weight, norm.bias, norm.running_mean, norm.running_var]
    return [tensor for tensor in tensors if tensor is not None]


def _read_from(joint: Joint, order: Tensor, factors: Tensor) -> None:
    """Let the next layer read channel `order[j]` from place j, and divide it by `factors[j]`."""
    weight = joint.after.weight
    flat = weight.flatten(1).clone()  # (out, inputs)
    columns = joint.columns.to(weight.device)
    new = flat.clone()
    new[:, columns] = flat[:, columns[order]] / factors[:, None]  # (out, C, m)
    weight.copy_(new.view_as(weight))
