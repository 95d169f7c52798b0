"""What every detector asks of its input before it starts."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from .. import progress
from ..data import Samples
from ..errors import NOT_EMPTY, ArgumentError, WmlearnError, require
from ..models import check_finite
from ..training import predict

Needs = Literal["the network's weights", "its training set", "queries"]
"""What a detector judges, beside clean images."""


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


def checked_logits(model: nn.Module, samples: Samples) -> Tensor:
    """Return what a network from elsewhere answers to `samples`, (N, classes), batch by batch.

    Raises `ArgumentError`, in words, where it fails, doesn't answer every image, answers for another number
    of classes, with NaN or infinity, or otherwise for one image than for many.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    k = len(samples.classes)
    parts = [_answers(model, batch, k) for batch in progress.each(samples.x.split(128), "reading")]
    _answers(model, samples.x[:1], k)
    return torch.cat(parts)


def _answers(model: nn.Module, x: Tensor, k: int) -> Tensor:
    """Return the logits (N, k) of one batch."""
    try:
        logits = predict(model, x)
    except WmlearnError:
        raise
    except Exception as error:  # of a stranger's network: anything
        rule = f"the model must read images of shape (N, {', '.join(map(str, x.shape[1:]))}) in [0, 1]"
        got = f"{type(error).__name__}: {str(error)[:200]}"
        raise ArgumentError(f"{rule}, got {got} for {len(x)} of them.") from error
    rule = f"the model must answer {len(x)} images with {k} classes each, (N, {k})"
    fix = "Are the folders the classes that it learnt, all of them?"
    require(logits.shape == (len(x), k), rule, tuple(logits.shape), fix)
    bad = int((~logits.isfinite()).any(1).sum())
    fix = "Does it want other numbers than images in [0, 1]?"
    require(bad == 0, "the model must answer with finite numbers", f"NaN or infinity for {bad} images", fix)
    return logits


def check_share(name: str, value: float) -> None:
    """Raise `ArgumentError` unless `value` lies in (0, 1)."""
    require(0 < value < 1, f"{name} must lie in (0, 1)", value)
