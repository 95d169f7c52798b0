"""Changed copies keep what they show, who they are, and within what bounds they were told to stay."""

from __future__ import annotations

import re

import pytest
import torch

import wmlearn as wm
from wmlearn.data import Jitter


def _samples(n: int = 6) -> wm.Samples:
    x = torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return wm.Samples(x, torch.arange(n) % 2, ("a", "b"), torch.arange(n) * 7)


def test_copies_come_in_order_with_labels_and_groups() -> None:
    samples = _samples()
    copies = Jitter()(samples)
    assert copies.x.shape == samples.x.shape
    assert copies.y.equal(samples.y)
    assert torch.as_tensor(copies.groups).equal(torch.as_tensor(samples.groups))
    assert copies.classes == samples.classes
    assert not copies.x.equal(samples.x)


def test_samples_without_groups_stay_without() -> None:
    samples = _samples()
    assert Jitter()(wm.Samples(samples.x, samples.y, samples.classes)).groups is None


def test_a_copy_that_may_not_differ_does_not() -> None:
    samples = _samples()
    assert torch.allclose(Jitter(shift=0, scale=0, turn=0, shear=0)(samples).x, samples.x, atol=1e-5)


def test_copies_change_neither_the_images_nor_the_global_generator() -> None:
    samples, state = _samples(), torch.get_rng_state()
    before = samples.x.clone()
    Jitter()(samples)
    assert samples.x.equal(before)
    assert torch.get_rng_state().equal(state)


def test_a_seed_decides_the_copies() -> None:
    first, again, other = (Jitter()(_samples(), seed=seed).x for seed in (0, 0, 1))
    assert first.equal(again)
    assert not first.equal(other)


def _middle(x: torch.Tensor) -> torch.Tensor:
    """Where the light of each image lies, (N, 2) in shares of the side, from the middle."""
    light, axis = x.mean(1), (torch.arange(x.shape[-1]) + 0.5) / x.shape[-1] - 0.5
    return (
        torch.stack([(light * axis).sum((1, 2)), (light * axis[:, None]).sum((1, 2))], 1)
        / light.sum((1, 2))[:, None]
    )


def _dots(n: int = 200) -> wm.Samples:
    x = torch.zeros(n, 1, 32, 32)
    x[:, :, 12:20, 12:20] = 1
    return wm.Samples(x, torch.zeros(n, dtype=torch.int64), ("dot",))


def test_shift_is_a_share_of_the_side_and_uses_its_whole_range() -> None:
    moved = _middle(Jitter(shift=0.2, scale=0, turn=0, shear=0)(_dots()).x)
    assert moved.abs().max() <= 0.2 + 1e-3
    assert moved.abs().max(0).values.min() > 0.18
    assert moved.mean(0).abs().max() < 0.03


def test_scale_makes_larger_and_smaller() -> None:
    area = Jitter(shift=0, scale=0.2, turn=0, shear=0)(_dots()).x.sum((1, 2, 3)) / 64
    assert area.min() > 0.65
    assert area.max() < 1.6
    assert area.max() - area.min() > 0.5


def test_turning_keeps_the_area_and_the_middle() -> None:
    copies = Jitter(shift=0, scale=0, turn=0.8, shear=0)(_dots()).x
    assert (copies.sum((1, 2, 3)) / 64 - 1).abs().max() < 0.05
    assert _middle(copies).abs().max() < 0.01
    assert not torch.allclose(copies[0], _dots().x[0], atol=0.1)


@pytest.mark.parametrize(("name", "value"), [("shift", -0.1), ("scale", 1.0), ("turn", float("nan"))])
def test_bounds_are_checked(name: str, value: float) -> None:
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(f'{name} must lie in [0, 1), got {value}.')}$"):
        Jitter(**{name: value})
