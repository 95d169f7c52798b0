"""What every removal starts with: a sound copy of the model, and its layers by kind; and what it ends with: a
change.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from ..data import Samples
from ..errors import NOT_EMPTY, require
from ..models import check_finite, opened
from ..training import predict
from ..watermarks.dawn import Service

L = TypeVar("L", bound=nn.Module)


def sound_copy(model: nn.Module, samples: Samples) -> nn.Module:
    """Return a copy of `model` to work on, out of what wrapped it for speed.

    Raises `ArgumentError` for no samples, a service, or weights that aren't finite.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    rule = "the model must be one, not a service, which nobody can open"
    fix = "Use wm.watermarks.dawn.surrogate, or extract() with a network of your own."
    require(not isinstance(model, Service), rule, "a marked service", fix)
    check_finite(model)
    return copy.deepcopy(opened(model)).requires_grad_(True)


def layers(model: nn.Module, *kinds: type[L]) -> list[L]:
    """Return the layers of `kinds`, as registered; raise `ArgumentError` for none, and name what is."""
    fitting = [layer for layer in model.modules() if isinstance(layer, kinds)]
    names = " or ".join(f"nn.{kind.__name__}" for kind in kinds)
    others = sorted({type(layer).__name__ for layer in model.modules() if not list(layer.children())})
    rule = f"the model must have an {names} layer for this attack"
    require(len(fitting) > 0, rule, ", ".join(others) or "no layers")
    return fitting


LOOK = 64
"""Images by whose answers an attack is told from none."""


def attacked(model: nn.Module, new: nn.Module, samples: Samples) -> nn.Module:
    """Return `new`, what an attack made of `model`; raise `ArgumentError` where it answers the first of
    `samples` exactly as `model` does: a mark that survives no attack survived nothing.
    """
    x = samples.x[:LOOK]
    same = torch.equal(predict(model, x), predict(new, x))
    rule = "an attack must change the model's answers"
    fix = "Attack harder, or name the layer that makes the answers."
    require(not same, rule, f"the same for {len(x)} samples", fix)
    return new
