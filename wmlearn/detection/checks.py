"""What every detector asks of its input before it starts."""

from __future__ import annotations

from torch import nn

from ..data import Samples
from ..errors import NOT_EMPTY, require
from ..models import check_finite
from ..training import predict


def check(model: nn.Module, samples: Samples) -> None:
    """Raise `ArgumentError` unless `model` has finite weights, and answers for the classes of `samples`,
    which holds images of each.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    check_finite(model)
    counts = samples.y.bincount(minlength=len(samples.classes)).tolist()
    absent = [name for name, count in zip(samples.classes, counts, strict=True) if count == 0]
    fix = "Draw more, or a stratified split."
    require(not absent, "samples must hold images of every class", f"none of {', '.join(absent)}", fix)
    n_classes = len(samples.classes)
    shape = tuple(predict(model, samples.x[:1]).shape)
    rule = f"the model must answer with {n_classes} classes"
    require(shape == (1, n_classes), rule, shape, "Is the model for these samples?")


def check_share(name: str, value: float) -> None:
    """Raise `ArgumentError` unless `value` lies in (0, 1)."""
    require(0 < value < 1, f"{name} must lie in (0, 1)", value)
