"""The contract of every trigger in `triggers.ALL`."""

from __future__ import annotations

from dataclasses import is_dataclass

import pytest
import torch
from torch import Tensor

from wmlearn.triggers import ALL

SHAPES = ((1, 1, 28, 28), (5, 3, 28, 28), (2, 1, 32, 40), (0, 1, 28, 28))


def _images(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 0.9


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("id", ALL)
def test_a_trigger_keeps_shape_type_range_and_its_input(id: str, shape: tuple[int, ...]) -> None:
    x = _images(shape)
    before = x.clone()
    out = ALL[id](x)
    assert out.shape == x.shape
    assert out.dtype == x.dtype
    assert bool(((out >= 0) & (out <= 1)).all())
    assert x.equal(before)


@pytest.mark.parametrize("id", ALL)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_trigger_keeps_black_and_white_images_in_range(id: str, value: float) -> None:
    out = ALL[id](torch.full((2, 1, 28, 28), value))
    assert 0 <= out.min() <= out.max() <= 1


@pytest.mark.parametrize("id", ALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_trigger_changes_every_image_and_every_channel(id: str, channels: int) -> None:
    x = _images((5, channels, 28, 28))
    assert bool((ALL[id](x) != x).flatten(2).any(2).all())


@pytest.mark.parametrize("id", ALL)
def test_a_trigger_is_deterministic_and_leaves_the_global_generator_alone(id: str) -> None:
    x = _images((5, 1, 28, 28))
    state = torch.get_rng_state()
    assert ALL[id](x).equal(ALL[id](x))
    assert torch.get_rng_state().equal(state)


@pytest.mark.parametrize("id", ALL)
def test_a_trigger_treats_an_image_the_same_in_any_company(id: str) -> None:
    x = _images((5, 1, 28, 28))
    one_by_one = torch.cat([ALL[id](image) for image in x.split(1)])
    assert ALL[id](x).equal(one_by_one)


@pytest.mark.parametrize("id", ALL)
def test_a_trigger_is_a_frozen_dataclass_with_defaults(id: str) -> None:
    trigger = ALL[id]
    assert is_dataclass(trigger)
    assert type(trigger)() == trigger
    assert hash(type(trigger)()) == hash(trigger)
    assert len({*ALL.values(), trigger}) == len(ALL)
