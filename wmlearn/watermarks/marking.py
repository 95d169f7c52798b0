"""The last step of every `embed`: look for the mark, and warn where there is none."""

from __future__ import annotations

import warnings
from typing import TypeVar

from torch import nn

from ..errors import NotEmbeddedWarning
from ..evidence import judge
from ..protocols import Marked, Watermark
from ..training import TrainLog

K = TypeVar("K")


def marked(scheme: Watermark[K], key: K, model: nn.Module, log: TrainLog) -> Marked[K]:
    """Return the marked model with its key; warn with `NotEmbeddedWarning` when no judge would believe it."""
    verdict = judge(scheme.verify(model, key))
    if not verdict.owned:
        advice = "Train longer, or give the mark more weight, before you release this model."
        warnings.warn(f"the mark was not embedded: {verdict}. {advice}", NotEmbeddedWarning, stacklevel=3)
    return Marked(scheme, key, model, log)
