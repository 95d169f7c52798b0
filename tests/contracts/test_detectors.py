"""The contract of every detector in `detection.ALL`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn import detection
from wmlearn.evidence import bystanders


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    return bystanders.shipped("mnist", 27, 28)[0]


def _call(detector: Callable[..., Any], model: nn.Module, samples: wm.Samples) -> Any:
    asks = isinstance(detector, detection.Strip | detection.TopologicalEvolution)
    return detector(model, samples, samples.x[:5]) if asks else detector(model, samples)


@pytest.mark.parametrize("name", detection.ALL)
def test_a_detector_is_a_frozen_dataclass_with_defaults(name: str) -> None:
    detector: Any = detection.ALL[name]
    assert is_dataclass(detector)
    assert type(detector)() == detector
    assert hash(type(detector)()) == hash(detector)


@pytest.mark.parametrize("name", detection.ALL)
def test_a_detector_says_the_same_twice_and_leaves_the_model_and_the_global_generator_alone(
    name: str, clean: nn.Module, few: wm.Samples
) -> None:
    detector: Any = detection.ALL[name]
    if isinstance(detector, detection.NeuralCleanse):
        detector = replace(detector, steps=10)
    model = copy.deepcopy(clean).train()
    state = torch.get_rng_state()
    answers = [_call(detector, model, few[:500]) for _ in range(2)]
    assert torch.get_rng_state().equal(state)
    assert model.training
    assert all(weight.equal(clean.state_dict()[key]) for key, weight in model.state_dict().items())
    for field in fields(answers[0]):
        one, two = (getattr(answer, field.name) for answer in answers)
        assert one.equal(two) if isinstance(one, Tensor) else one == two


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
