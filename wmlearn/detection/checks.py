"""What every detector asks of its input before it starts."""

from __future__ import annotations

from torch import nn

from ..data import Samples
from ..errors import NOT_EMPTY, require
from ..training import predict


def check(model: nn.Module, samples: Samples) -> None:
    """Raise `ArgumentError` unless `model` has finite weights and answers for the classes of `samples`, which
    holds images of each.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    broken = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    require(
        not broken,
        "the model's weights must be finite",
        f"NaN or infinity in {', '.join(broken)}",
        "Load or train it again.",
    )
    counts = samples.y.bincount(minlength=len(samples.classes)).tolist()
    absent = [name for name, count in zip(samples.classes, counts, strict=True) if count == 0]
    require(
        not absent,
        "samples must hold images of every class",
        f"none of {', '.join(absent)}",
        "Draw more, or a stratified split.",
    )
    shape = tuple(predict(model, samples.x[:1]).shape)
    wanted = 1, len(samples.classes)
    require(
        shape == wanted,
        f"the model must answer with {wanted[1]} classes",
        shape,
        "Is the model for these samples?",
    )


def check_share(name: str, value: float) -> None:
    """Raise `ArgumentError` unless `value` lies in (0, 1)."""
    require(0 < value < 1, f"{name} must lie in (0, 1)", value)
