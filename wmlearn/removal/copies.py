"""What every removal starts with: a sound copy of the model, and its layers by kind."""

from __future__ import annotations

import copy

from torch import nn

from ..data import Samples
from ..errors import NOT_EMPTY, require
from ..watermarks.dawn import Service


def sound_copy(model: nn.Module, samples: Samples) -> nn.Module:
    """Return a copy of `model` to work on; raise `ArgumentError` for no samples, a service, or weights that
    aren't finite.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    fix = "Use wm.watermarks.dawn.surrogate, or extract() with a network of your own."
    require(
        not isinstance(model, Service),
        "the model must be one, not a service, which nobody can open",
        "a marked service",
        fix,
    )
    broken = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    require(
        not broken,
        "the model's weights must be finite",
        f"NaN or infinity in {', '.join(broken)}",
        "Load or train it again.",
    )
    return copy.deepcopy(model).requires_grad_(True)


def layers(model: nn.Module, *kinds: type[nn.Module]) -> list[nn.Module]:
    """Return the layers of `kinds`, in order; raise `ArgumentError` where there are none, and name what there
    is.
    """
    found = [layer for layer in model.modules() if isinstance(layer, kinds)]
    names = " or ".join(f"nn.{kind.__name__}" for kind in kinds)
    there = sorted({type(layer).__name__ for layer in model.modules() if not list(layer.children())})
    require(
        len(found) > 0,
        f"the model must have an {names} layer for this attack",
        ", ".join(there) or "no layers",
    )
    return found
