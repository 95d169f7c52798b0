"""Filters take what they say, a telephone keeps what people say, rooms ring; each clip by itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn.data import air
from wmlearn.data.recordings import from_wave, to_wave
from wmlearn.triggers import melody

CHANNELS = {
    "low-pass": lambda x: air.low_pass(x, 2000),
    "band-pass": lambda x: air.band_pass(x, 500, 2000),
    "telephone": air.telephone,
    "room": air.Room(),
}


def _note(pitch: float) -> Tensor:
    return from_wave(0.3 * melody(pitch, each=0.8))[None, None, None]


def _left(x: Tensor, before: Tensor) -> float:
    return float((to_wave(x).square().mean() / to_wave(before).square().mean()).sqrt())


@pytest.mark.parametrize(
    ("low", "high", "pitch", "left"),
    [
        (0, 3400, 1000, 1),
        (0, 3400, 3800, 0),
        (0, 3400, 3325, 0.5),
        (300, 3400, 200, 0),
        (300, 3400, 600, 1),
        (0, 4000, 3900, 1),
    ],
)
def test_a_filter_takes_what_it_says(low: float, high: float, pitch: float, left: float) -> None:
    x = _note(pitch)
    assert _left(air.band_pass(x, low, high), x) == pytest.approx(left, abs=0.03)


def test_a_telephone_keeps_a_voice_and_cuts_a_whistle() -> None:
    assert _left(air.telephone(_note(1000)), _note(1000)) == pytest.approx(1, abs=0.02)
    assert _left(air.telephone(_note(3800)), _note(3800)) < 0.01


def test_a_longer_echo_lasts_longer() -> None:
    def rest(fades: float) -> float:
        click = torch.zeros(6400)
        click[0] = 0.5
        heard = to_wave(air.Room(fades, 1, -90)(from_wave(click)[None, None, None]))
        return float(heard[..., 1600:].square().sum())

    assert rest(0.1) < rest(0.4) < rest(0.8)


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_treats_a_clip_the_same_in_any_company_and_leaves_it(name: str) -> None:
    x = wm.load("machine-digits").test.x[:5]
    before = x.clone()
    heard = CHANNELS[name](x)
    assert heard.shape == x.shape
    assert heard.dtype == x.dtype
    assert 0 <= heard.min() <= heard.max() <= 1
    assert torch.equal(x, before)
    one_by_one = torch.cat([CHANNELS[name](clip) for clip in x.split(1)])
    assert torch.allclose(heard, one_by_one, atol=1e-5)


def test_a_shake_moves_and_scales_and_keeps_labels() -> None:
    digits = wm.load("machine-digits").test[:20]
    shaken = air.Shake()(digits, seed=1)
    assert torch.equal(shaken.y, digits.y)
    assert torch.equal(shaken.x, air.Shake()(digits, seed=1).x)
    assert not torch.equal(shaken.x, air.Shake()(digits, seed=2).x)
    loudness = to_wave(shaken.x).square().mean((1, 2, 3)) / to_wave(digits.x).square().mean((1, 2, 3))
    assert float(loudness.log10().abs().max()) * 10 < 6.5
    still = air.Shake(0, 0, 0)(digits, seed=1)
    assert torch.allclose(still.x, digits.x, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: air.Room(fades=0), "fades must be positive"),
        (lambda: air.Room(echo=-1), "echo must be at least 0"),
        (lambda: air.band_pass(_note(500), 300, 200), r"low must lie in 0\.\.high"),
    ],
)
def test_what_makes_no_sense_is_refused(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(wm.ArgumentError, match=says):
        make()
