"""The ear hears a pitch where it lies and when it comes; the network behind it learns machine digits."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.data.recordings import from_wave
from wmlearn.models import LogMel, reborn, sound_cnn
from wmlearn.models.ear import BANDS, mel_bank
from wmlearn.triggers import melody


def _heard(sound: torch.Tensor, at: int = 0) -> torch.Tensor:
    clip = torch.zeros(6400)
    clip[at : at + len(sound)] = 0.3 * sound
    return LogMel()(from_wave(clip)[None, None, None])[0, 0]  # (bands, frames)


def test_a_higher_note_is_heard_in_a_higher_band() -> None:
    bands = [int(_heard(melody(pitch, each=0.8)).mean(1).argmax()) for pitch in (200, 600, 1500, 2500, 3800)]
    assert bands == sorted(set(bands))
    assert bands[-1] == BANDS - 1


def test_a_note_is_heard_when_it_comes() -> None:
    early = _heard(melody(1000, each=0.05), at=800)
    late = _heard(melody(1000, each=0.05), at=4000)
    assert int(late.amax(0).argmax()) - int(early.amax(0).argmax()) == (4000 - 800) / 200


def test_twice_as_loud_is_six_decibels_more_and_silence_is_one_number() -> None:
    soft = _heard(0.25 * melody(1000, each=0.8))
    loud = _heard(0.5 * melody(1000, each=0.8))
    assert float((loud - soft).amax()) * 25 == pytest.approx(6.02, abs=0.1)
    silence = LogMel()(torch.full((1, 1, 1, 6400), 0.5))
    assert silence.unique().numel() == 1


def test_the_bands_are_as_a_loop_over_frequencies_gives_them() -> None:
    def mel(pitch: float) -> float:
        return 2595 * torch.log10(torch.tensor(1 + pitch / 700, dtype=torch.float64)).item()

    bank = mel_bank()
    assert bank.shape == (129, 32)
    width = (mel(4000) - mel(60)) / (BANDS + 1)
    for bin in range(0, 129, 16):
        for band in range(0, BANDS, 5):
            edges = [700 * (10 ** ((mel(60) + (band + i) * width) / 2595) - 1) for i in range(3)]
            pitch = 4000 * bin / 128
            rise = (pitch - edges[0]) / (edges[1] - edges[0])
            fall = (edges[2] - pitch) / (edges[2] - edges[1])
            assert float(bank[bin, band]) == pytest.approx(max(0, min(rise, fall)), abs=2e-3)


def test_other_lengths_are_refused_in_words() -> None:
    with pytest.raises(wm.ArgumentError, match=r"\(N, 1, 1, 6400\)"):
        sound_cnn()(torch.zeros(2, 1, 1, 8000))
    with pytest.raises(wm.ArgumentError, match="classes must be at least 2"):
        sound_cnn(classes=1)


def _first(network: torch.nn.Module) -> torch.Tensor:
    return next(network.parameters())


def test_networks_follow_from_their_seed_and_can_be_born_again() -> None:
    one = sound_cnn(seed=3)
    assert torch.equal(_first(one), _first(sound_cnn(seed=3)))
    assert not torch.equal(_first(one), _first(sound_cnn(seed=4)))
    assert not torch.equal(_first(reborn(one, 5)), _first(one))
    assert sum(weight.numel() for weight in one.parameters()) == 89_914


def test_machine_digits_are_learnt_in_seconds() -> None:
    digits = wm.load("machine-digits")
    model, _ = wm.trained(sound_cnn(seed=1), digits.train, wm.Recipe(epochs=5, lr=6e-3, batch_size=64))
    assert wm.accuracy(model, digits.test) >= 0.95
