"""The contract of every detector in `detection.ALL`."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import detection
from wmlearn.evidence import bystanders


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    return bystanders.shipped("mnist", 27, 28)[0]


def _call(detector: Callable[..., object], model: nn.Module, samples: wm.Samples) -> object:
    asks = isinstance(detector, detection.Strip | detection.TopologicalEvolution)
    return detector(model, samples, samples.x[:5]) if asks else detector(model, samples)


@pytest.mark.parametrize("name", detection.ALL)
def test_bad_input_is_named(name: str, clean: nn.Module, few: wm.Samples) -> None:
    detector = detection.ALL[name]
    with pytest.raises(wm.ArgumentError, match="samples must hold images of every class, got 'none of 4, 7'"):
        _call(detector, clean, few[(few.y != 4) & (few.y != 7)])
    with pytest.raises(wm.ArgumentError, match="samples must not be empty"):
        _call(detector, clean, few[:0])
    broken = copy.deepcopy(clean)
    with torch.no_grad():
        next(broken.parameters())[0] = float("nan")
    with pytest.raises(wm.ArgumentError, match="the model's weights must be finite"):
        _call(detector, broken, few)
    colour = wm.Samples(few.x.expand(-1, 3, -1, -1), few.y, few.classes)
    with pytest.raises(wm.ArgumentError, match="this network reads images of shape"):
        _call(detector, clean, colour)
    eleven = wm.Samples(few.x, torch.arange(len(few)) % 11, (*few.classes, "A"))
    with pytest.raises(wm.ArgumentError, match="the model must answer with 11 classes"):
        _call(detector, clean, eleven)
