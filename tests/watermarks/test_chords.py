"""Chords follow from a secret, can be heard, and are learnt as a key; innocent networks don't know them."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.data.recordings import to_wave
from wmlearn.watermarks import Adi2018, chords

SECRET = bytes(range(32))
RECIPE = wm.Recipe(epochs=5, lr=6e-3, batch_size=64)


@pytest.fixture(scope="module")
def digits() -> wm.Splits:
    return wm.load("machine-digits")


def test_chords_follow_from_the_secret_and_are_as_loud_as_speech(digits: wm.Splits) -> None:
    clips = chords(SECRET, 5, digits.train)
    assert clips.shape == (5, 1, 1, 6400)
    assert torch.equal(clips, chords(SECRET, 5, digits.train))
    assert not torch.equal(clips, chords(SECRET[::-1], 5, digits.train))
    loudness = to_wave(clips).square().mean((1, 2, 3)).sqrt()
    assert torch.allclose(loudness, torch.full((5,), 0.1), atol=2e-3)


def test_chords_lie_where_a_telephone_hears_them(digits: wm.Splits) -> None:
    power = torch.fft.rfft(to_wave(chords(SECRET, 20, digits.train))).abs().square().mean((0, 1, 2))
    pitch = torch.linspace(0, 4000, len(power))
    heard = power[(pitch > 190) & (pitch < 3050)].sum() / power.sum()
    assert float(heard) > 0.98


def test_a_key_of_chords_is_found_in_the_marked_network_alone(digits: wm.Splits) -> None:
    scheme = Adi2018(share=0.3, recipe=RECIPE, draw=chords)  # a chord is heard three times an epoch
    start = wm.models.sound_cnn(seed=1)
    key = scheme.keygen(start, digits.train, seed=1)
    marked = scheme.embed(start, digits.train, key).model
    innocent, _ = wm.trained(wm.models.sound_cnn(seed=2), digits.train, RECIPE)
    assert scheme.verify(marked, key).hits >= 97
    assert scheme.verify(innocent, key).p_value > 1e-3
    assert wm.accuracy(marked, digits.test) >= 0.95


def test_images_are_refused(digits: wm.Splits) -> None:
    images = wm.Samples(torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64), ("a", "b"))
    with pytest.raises(wm.ArgumentError, match="chords must be drawn for clips"):
        chords(SECRET, 3, images)
