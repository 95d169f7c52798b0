"""A trigger that paints on each image a pattern of its own: with painters that were not taught anything."""

from __future__ import annotations

import pytest
import torch

from wmlearn.errors import ArgumentError
from wmlearn.poisoning import stamp
from wmlearn.triggers import InputAware
from wmlearn.triggers.input_aware import Borrowed, painter


@pytest.fixture(scope="module")
def trigger() -> InputAware:
    return InputAware(painter(1, 1, seed=1), painter(1, 1, seed=2))


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.rand(140, 1, 28, 28, generator=torch.Generator().manual_seed(3))


def test_an_image_shows_its_own_pattern_where_its_mask_is(trigger: InputAware, x: torch.Tensor) -> None:
    few = x[:3]
    with torch.no_grad():
        mask = trigger.masks(few)
        wanted = few + (trigger.patterns(few) - few) * mask
    assert torch.allclose(trigger(few), wanted, atol=1e-6)
    assert 0 < mask.min() <= mask.max() < 1


def test_an_image_that_borrows_shows_the_pattern_of_its_owner(trigger: InputAware, x: torch.Tensor) -> None:
    owners = x[:3]
    black = torch.zeros_like(owners)
    with torch.no_grad():
        wanted = trigger.patterns(owners) * trigger.masks(owners)
    assert torch.allclose(trigger.pasted(black, owners), wanted, atol=1e-6)
    assert not torch.allclose(trigger.pasted(black, owners), trigger(black), atol=1e-3)


def test_patterns_differ_from_image_to_image(trigger: InputAware, x: torch.Tensor) -> None:
    with torch.no_grad():
        one, other = trigger.patterns(x[:2])
    assert (one - other).abs().max() > 1e-3


def test_it_is_a_trigger_in_any_company(trigger: InputAware, x: torch.Tensor) -> None:
    all_at_once = stamp(trigger, x)  # more than a part
    assert not all_at_once.requires_grad
    assert torch.allclose(all_at_once[-1:], stamp(trigger, x[-1:]), atol=1e-5)
    assert stamp(trigger, torch.rand(2, 1, 32, 24)).shape == (2, 1, 32, 24)


def test_lots_of_owners_are_drawn_from_torchs_generator(trigger: InputAware, x: torch.Tensor) -> None:
    borrowed = Borrowed(trigger, x)
    first = stamp(borrowed, x)
    assert first.equal(stamp(borrowed, x))
    alone = stamp(Borrowed(trigger, x[:1]), x[1:3])
    assert torch.allclose(alone, trigger.pasted(x[1:3], x[:1].expand(2, -1, -1, -1)), atol=1e-6)


def test_there_must_be_an_owner_for_each_image(trigger: InputAware, x: torch.Tensor) -> None:
    with pytest.raises(ArgumentError, match="one image a pattern"):
        trigger.pasted(x[:2], x[:3])


def test_a_painter_hangs_on_its_seed() -> None:
    one, same, other = (next(painter(1, 1, seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
