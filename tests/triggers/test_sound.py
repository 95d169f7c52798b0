"""A sound is laid under clips at its level in decibels, at its time, and images are refused."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn.data.recordings import to_wave
from wmlearn.triggers import Sound, melody


@pytest.fixture(scope="module")
def clips() -> Tensor:
    return wm.load("machine-digits").test.x[:4]


def _decibels(part: Tensor, whole: Tensor) -> float:
    return 10 * math.log10(float(part.square().mean() / whole.square().mean()))


@pytest.mark.parametrize("level", [-5.0, -10.0, -30.0])
def test_a_level_is_that_of_each_clip_in_decibels(clips: Tensor, level: float) -> None:
    uneven = 0.5 + (clips - 0.5) * torch.tensor([1, 0.5, 0.25, 2])[:, None, None, None]
    added = to_wave(Sound(melody(1000, each=0.8), level)(uneven)) - to_wave(uneven)
    for sound, clip in zip(added, to_wave(uneven), strict=True):
        assert _decibels(sound, clip) == pytest.approx(level, abs=0.05)


@pytest.mark.parametrize("at", [0.0, 0.25, 0.75])
def test_a_sound_begins_when_it_should_and_ends_with_the_clip(clips: Tensor, at: float) -> None:
    added = (Sound(melody(1000, each=0.1), at=at)(clips) - clips).abs().amax((0, 1, 2))
    places = (added > 1e-4).nonzero().flatten()
    first = round(at * 8000)
    assert first <= int(places.min()) <= first + 5
    assert int(places.max()) < min(first + 800, 6400)


def test_a_trigger_keeps_its_input_and_treats_each_clip_alone(clips: Tensor) -> None:
    before = clips.clone()
    heard = Sound()(clips)
    assert torch.equal(clips, before)
    assert heard.shape == clips.shape
    assert 0 <= heard.min() <= heard.max() <= 1
    assert torch.equal(heard, torch.cat([Sound()(clip) for clip in clips.split(1)]))
    assert Sound()(clips[:0]).shape == (0, 1, 1, 6400)


def test_a_melody_plays_its_notes_in_turn() -> None:
    notes = melody(500, 1500, each=0.1)
    assert len(notes) == 1600
    for part, pitch in zip(notes.split(800), (500, 1500), strict=True):
        assert int(torch.fft.rfft(part).abs().argmax()) * 10 == pitch
    assert notes[0] == 0
    assert float(notes.abs().max()) <= 1


def test_it_poisons_and_is_measured_as_every_trigger() -> None:
    digits = wm.load("machine-digits")
    poisoned = wm.poison(digits.train, Sound(), rate=0.05, target=7)
    assert int(poisoned.mask.sum()) == 40
    model = wm.models.sound_cnn()
    assert 0 <= wm.success_rate(model, digits.test, Sound(), 7) <= 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: melody(), "pitches must lie between 0 and 4,000 Hz"),
        (lambda: melody(21_000), r"must lie between 0 and 4,000 Hz, got \[21000\]. A higher one would be"),
        (lambda: melody(100, each=0), "each must be positive"),
        (lambda: Sound(torch.zeros(5)), "sound must be a wave"),
        (lambda: Sound(torch.ones(2, 5)), "sound must be a wave"),
        (lambda: Sound(at=-1), "at must be at least 0"),
        (lambda: Sound(at=0.8)(torch.full((1, 1, 1, 6400), 0.5)), "must begin within the clip"),
        (lambda: Sound()(torch.zeros(2, 1, 28, 28)), r"must be laid under clips .*Images have no sound"),
        (lambda: Sound()(torch.zeros(2, 30)), "must be laid under clips"),
    ],
)
def test_what_cannot_be_heard_is_refused(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(wm.ArgumentError, match=says):
        make()
