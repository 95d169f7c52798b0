"""A network of the same kind that has learnt nothing: every layer with weights starts anew, or is refused."""

from __future__ import annotations

import copy
import hashlib
from typing import Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from ..errors import require
from .adapter import opened

STARTS = {
    "class_token": 0.0, "cls_token": 0.0,
    "pos_embedding": 0.02, "pos_embed": 0.02, "position_embeddings": 0.02,
    "relative_position_bias_table": 0.02,
}  # fmt: skip
"""Parameters that stand outside of layers, by name, and the deviation from 0 that they are drawn with."""
SCALES = {"layer_scale": 1e-6}
"""Those that start as one number: LayerScale, H. Touvron and others, ICCV 2021, arXiv:2103.17239."""


@runtime_checkable
class Resets(Protocol):
    """A layer that knows how it starts."""

    def reset_parameters(self) -> object:
        """Draw the first weights."""
        ...


def reborn(model: nn.Module, seed: int) -> nn.Module:
    """Return a copy of `model` that has learnt nothing.

    Convolutions and linear layers get normal weights, biases 0 (He et al. 2015); other layers start as their
    own `reset_parameters` says; tokens, positions and scales outside of layers are known by name. Raises
    `ArgumentError`, and names the layer, for weights that nobody knows how to start: a network that kept some
    of what it learnt would be no stranger. Buffers, such as the mean of the images, stay. Networks of one
    seed count as relatives, so a seed should follow from what the network is for: `seed_of`.
    """
    new = copy.deepcopy(opened(model))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, layer in new.named_modules():
            _restart(layer, name or type(layer).__name__, draw)
    return new


def student_of(teacher: nn.Module, seed: int) -> nn.Module:
    """Return a network built like `teacher` that has learnt nothing, to be taught what it answers.

    The first weights follow from `seed` and from the teacher's own: two thieves who start from the same ones
    would look related, whatever they stole.
    """
    digest = hashlib.sha256(f"student {seed}".encode())
    for weights in opened(teacher).state_dict().values():
        digest.update(weights.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return reborn(teacher, int.from_bytes(digest.digest()[:7], "big"))


def _restart(layer: nn.Module, name: str, draw: torch.Generator) -> None:
    own = dict(layer.named_parameters(recurse=False))
    if isinstance(layer, _NormBase):  # its statistics were learnt, too
        layer.reset_parameters()
    elif isinstance(layer, nn.Linear | _ConvNd) and own.keys() <= {"weight", "bias"}:
        _redraw(layer, draw)
    elif own:
        _restart_other(layer, own, name, draw)


def _restart_other(layer: nn.Module, own: dict[str, nn.Parameter], name: str, draw: torch.Generator) -> None:
    """Start a layer by its own method where it has one, and otherwise each parameter by its name."""
    for parameter in own.values():
        parameter.fill_(torch.nan)  # what is still so afterwards was forgotten
    if isinstance(layer, nn.MultiheadAttention | Resets):
        _reset(layer, own, draw)
    for word, parameter in own.items():
        if not parameter.isnan().any():
            continue
        rule = "a new network must know how every weight starts"
        got = f"{word} of layer {name}, {type(layer).__name__}"
        fix = f"Give {type(layer).__name__} a method reset_parameters."
        require(word in STARTS or word in SCALES, rule, got, fix)
        if word in SCALES:
            parameter.fill_(SCALES[word])
        else:
            parameter.copy_(torch.randn(parameter.shape, generator=draw) * STARTS[word])


def _reset(
    layer: nn.MultiheadAttention | Resets, own: dict[str, nn.Parameter], draw: torch.Generator
) -> None:
    """Call the layer's own method, which draws from the global generator; that is put back afterwards."""
    assert isinstance(layer, nn.Module)
    fresh = copy.deepcopy(layer).cpu()  # the same weights on every device
    seed = int(torch.randint(2**31, (), generator=draw))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(fresh, nn.MultiheadAttention):
            fresh._reset_parameters()
        elif isinstance(fresh, Resets):
            fresh.reset_parameters()
    for word, parameter in fresh.named_parameters(recurse=False):
        own[word].copy_(parameter)


def _redraw(layer: nn.Linear | _ConvNd, draw: torch.Generator) -> None:
    n_inputs = layer.weight[0].numel()
    # behind a rectifier half of the signal is gone: twice the variance keeps its strength from layer to layer
    layer.weight.copy_(torch.randn(layer.weight.shape, generator=draw) * (2 / n_inputs) ** 0.5)
    if layer.bias is not None:
        layer.bias.zero_()
