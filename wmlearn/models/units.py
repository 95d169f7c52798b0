"""Hidden units that could stand in any order: which layers have such, and what each of their units reads.

R. Hecht-Nielsen: On the Algebraic Structure of Feedforward Network Weight Spaces, Advanced Neural Computers,
1990: a hidden layer of n units has n! orders, and the network answers the same in each.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.fx import Node, Tracer

from ..errors import require
from .channels import FLATTENS, PASSES, Layer

ALIKE = (
    *PASSES, *FLATTENS, nn.GELU, nn.SiLU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.Hardswish, nn.ReLU6, nn.Softplus,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.Dropout1d,
)  # fmt: skip
"""What treats all units alike, as the functions and methods below do."""
FUNCTIONS = {
    F.relu, F.gelu, F.silu, F.leaky_relu, F.dropout, F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d,
    torch.relu, torch.tanh, torch.sigmoid, torch.flatten,
}  # fmt: skip
METHODS = {"relu", "tanh", "sigmoid", "flatten", "view", "reshape", "contiguous"}


def layers(model: nn.Module) -> dict[str, Layer]:
    """Return the convolutions and linear layers by name, in the order in which the model holds them."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}


def hidden_layers(model: nn.Module) -> list[str]:
    """Name, in order, the layers whose units could stand in any order: one next layer hears them, and mixes
    them all.

    Left out are the last layer, whose units are the classes; layers that skip connections tie to others,
    whose units would have to move along; those before or in grouped convolutions; those behind which
    something unknown stands. Raises `ArgumentError` for a model without any, or one that can't be traced.
    """
    calls = _calls(model)
    times = Counter(str(node.target) for node in calls)
    known = layers(model)
    names = [str(node.target) for node in calls if _is_free(node, model) and times[str(node.target)] == 1]
    rule = "the model must have a hidden layer whose units could stand in any order"
    require(len(names) > 0, rule, ", ".join(known) or "no layers", "Skip connections and groups tie units.")
    return names


def directions(model: nn.Module, layer: str) -> Tensor:
    """Return what each unit of a layer reads, scaled to length 1: (units, weights of a unit), float64."""
    return F.normalize(layers(model)[layer].weight.detach().double().cpu().flatten(1), dim=1)


class _Steps(Tracer):
    """Follow a model's layers; a module that holds none of them is one step."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        inner = any(isinstance(part, nn.Conv2d | nn.Linear) for part in m.modules() if part is not m)
        return not inner or super().is_leaf_module(m, module_qualified_name)


def _calls(model: nn.Module) -> list[Node]:
    """Return where the model calls its convolutions and linear layers, in order."""
    try:
        graph = _Steps().trace(model)
    except Exception as error:  # whatever a foreign forward does with a stand-in for a tensor
        rule = "the model must be one whose layers can be followed"
        fix = "Name the layers yourself, and look up what holds for them."
        require(False, rule, f"{type(error).__name__} in {type(model).__name__}", fix)
        raise AssertionError from error
    return [node for node in graph.nodes if _layer(node, model) is not None]


def _layer(node: Node, model: nn.Module) -> Layer | None:
    if node.op != "call_module":
        return None
    module = model.get_submodule(str(node.target))
    return module if isinstance(module, nn.Conv2d | nn.Linear) else None


def _is_free(node: Node, model: nn.Module) -> bool:
    """Say whether the units of the layer called at `node` go to one next layer, treated alike on the way."""
    layer = _layer(node, model)
    if layer is None or _in_groups(layer):
        return False
    while True:
        hearers = [user for user in node.users if not _asks_for_shape(user)]
        if len(hearers) != 1:
            return False
        (node,) = hearers
        following = _layer(node, model)
        if following is not None:
            return not _in_groups(following)
        if not _treats_alike(node, model):
            return False


def _in_groups(layer: Layer) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups > 1


def _asks_for_shape(node: Node) -> bool:
    if node.op == "call_method":
        return node.target in ("size", "dim")
    return node.target is getattr and node.args[1:2] == ("shape",)


def _treats_alike(node: Node, model: nn.Module) -> bool:
    target: Any = node.target
    if node.op == "call_module":
        return isinstance(model.get_submodule(target), ALIKE)
    if node.op == "call_method":
        return target in METHODS
    return node.op == "call_function" and target is not operator.add and target in FUNCTIONS
