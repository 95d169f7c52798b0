"""Patches and other light: what may change, what may not, and by how much."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

import wmlearn as wm
from wmlearn.data import Erase, Tint

CHANGES = {"erase": Erase(share=1.0), "pictures": Erase(share=1.0, pictures=1.0), "tint": Tint()}


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
    assert first.x.equal(again.x)
    assert not first.x.equal(other.x)
    assert not first.x.equal(before)
    assert samples.x.equal(before)
    assert torch.get_rng_state().equal(state)
    assert first.y.equal(samples.y)
    assert first.groups is not None
    assert first.groups.equal(torch.arange(40) * 7)


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
