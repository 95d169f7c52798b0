"""Changed copies keep what they show and who they are, and change within the bounds they were told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

import wmlearn as wm
from wmlearn.data import Erase, Jitter, Tint

CHANGES = {
    "jitter": Jitter(),
    "erase": Erase(share=1.0),
    "pictures": Erase(share=1.0, pictures=1.0),
    "tint": Tint(),
}


def _samples(n: int = 40, value: float | None = None) -> wm.Samples:
    x = (
        torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        if value is None
        else torch.full((n, 3, 32, 32), value)
    )
    return wm.Samples(x, torch.arange(n) % 2, ("a", "b"), torch.arange(n) * 7)


@pytest.mark.parametrize("name", CHANGES)
def test_only_pixels_change_and_a_seed_decides_how(name: str) -> None:
    change, samples, state = CHANGES[name], _samples(), torch.get_rng_state()
    before = samples.x.clone()
    first, again, other = (change(samples, seed=seed) for seed in (0, 0, 1))
    assert first.x.shape == before.shape
    assert first.x.equal(again.x)
    assert not first.x.equal(other.x)
    assert not first.x.equal(before)
    assert samples.x.equal(before)
    assert torch.get_rng_state().equal(state)
    assert first.y.equal(samples.y)
    assert first.groups is not None
    assert first.groups.equal(torch.arange(40) * 7)
    assert first.classes == samples.classes


@pytest.mark.parametrize("name", CHANGES)
def test_samples_without_groups_stay_without(name: str) -> None:
    samples = _samples()
    assert CHANGES[name](wm.Samples(samples.x, samples.y, samples.classes)).groups is None


# Jitter


def test_a_place_that_may_not_differ_does_not() -> None:
    samples = _samples()
    assert torch.allclose(Jitter(shift=0, scale=0, turn=0, shear=0)(samples).x, samples.x, atol=1e-5)


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


# Erase


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_pictures_gets_one_patch_of_one_colour(share: float) -> None:
    x = Erase(share=share, size=(0.2, 0.4))(_samples(400, 0.5)).x
    touched = (x != 0.5).any(1)  # (N, H, W)
    assert abs(touched.flatten(1).any(1).float().mean().item() - share) < 0.08
    for picture, patch in zip(x, touched, strict=True):
        if patch.any():
            rows, columns = patch.any(1), patch.any(0)
            assert patch.equal(rows[:, None] & columns)  # a rectangle
            assert max(rows.sum(), columns.sum()) <= 0.4 * 32 + 1
            assert len(picture[:, patch].unique(dim=1)[0]) == 1


@pytest.mark.parametrize("pictures", [0.0, 0.5, 1.0])
def test_a_share_of_the_patches_shows_the_same_place_of_another_picture(pictures: float) -> None:
    values = torch.arange(1, 401) / 500  # each picture has a grey of its own
    samples = wm.Samples(
        values[:, None, None, None].expand(-1, 3, 32, 32).clone(), torch.zeros(400, dtype=torch.int64), ("a",)
    )
    x, from_others = Erase(share=1.0, pictures=pictures)(samples).x, 0
    for own, picture in zip(values, x, strict=True):
        painted = picture[:, (picture != own).any(0)].unique()
        from_others += len(painted) == 1 and bool((values == painted[0]).any())
    assert abs(from_others / 400 - pictures) < 0.08


# Tint


def test_light_that_may_not_differ_does_not() -> None:
    samples = _samples()
    assert torch.allclose(Tint(gamma=1, saturation=(1, 1), gain=0)(samples).x, samples.x, atol=1e-6)


def test_without_saturation_all_is_grey() -> None:
    x = Tint(gamma=1, saturation=(0, 0), gain=0)(_samples()).x
    assert (x.amax(1) - x.amin(1)).max() < 1e-6


def test_gamma_and_gain_keep_their_bounds() -> None:
    bent = Tint(gamma=2, saturation=(1, 1), gain=0)(_samples(400, 0.5)).x
    assert 0.25 - 1e-5 <= bent.min() < 0.28
    assert 0.66 < bent.max() <= 0.5**0.5 + 1e-5
    gained = Tint(gamma=1, saturation=(1, 1), gain=0.2)(_samples(400, 0.5)).x
    assert 0.4 - 1e-5 <= gained.min() < 0.42
    assert 0.58 < gained.max() <= 0.6 + 1e-5


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Jitter(shift=-0.1), "shift must lie in [0, 1), got -0.1."),
        (lambda: Jitter(scale=1.0), "scale must lie in [0, 1), got 1.0."),
        (lambda: Jitter(turn=float("nan")), "turn must lie in [0, 1), got nan."),
        (lambda: Erase(share=1.5), "share must lie in [0, 1], got 1.5."),
        (lambda: Erase(pictures=-0.1), "pictures must lie in [0, 1], got -0.1."),
        (lambda: Erase(size=(0.5, 0.2)), "size must be a range in (0, 1], low first, got (0.5, 0.2)."),
        (lambda: Tint(gamma=0.5), "gamma must be at least 1, got 0.5."),
        (
            lambda: Tint(saturation=(1.0, 0.5)),
            "saturation must be a range from 0 on, low first, got (1.0, 0.5).",
        ),
        (lambda: Tint(gain=1.0), "gain must lie in [0, 1), got 1.0."),
    ],
)
def test_bounds_are_checked(make: Callable[[], object], says: str) -> None:
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(says)}$"):
        make()
