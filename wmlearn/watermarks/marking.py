"""The last step of every `embed`: look for the mark, and warn where there is none."""

from __future__ import annotations

import warnings
from typing import TypeVar

from torch import nn

from ..errors import NotEmbeddedWarning
from ..protocols import Marked, Watermark
from ..training import TrainLog

K = TypeVar("K")
TAKEN = 0.9
"""The least share of its key that a marked model must know: a thief should find the mark whole."""


def marked(scheme: Watermark[K], key: K, model: nn.Module, log: TrainLog) -> Marked[K]:
    """Return the marked model with its key; warn with `NotEmbeddedWarning` below `TAKEN`."""
    found = scheme.verify(model, key)
    if found.rate < TAKEN:
        says = f"the mark was not embedded: {found.hits} of {found.trials} took, below {TAKEN:.0%}"
        advice = "Train longer, or give the mark more weight, before you release this model."
        warnings.warn(f"{says}. {advice}", NotEmbeddedWarning, stacklevel=3)
    return Marked(scheme, key, model, log)
