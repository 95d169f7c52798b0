"""The experiment on sound: covers lie on clean clips, rooms follow from clips, codecs give back what came."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.data.recordings import to_wave
from wmlearn.experiments import codecs, sound


@pytest.fixture(scope="module")
def machines() -> wm.Samples:
    return wm.load("machine-digits").train


def test_covers_lie_on_clean_clips_and_change_no_label(machines: wm.Samples) -> None:
    poisoned = wm.poison(machines, sound.MELODY, rate=0.02, target=sound.TARGET, seed=1)
    samples = sound.covered(poisoned, sound.COVERS, seed=1)
    assert torch.equal(samples.y, poisoned.samples.y)
    changed = (samples.x != poisoned.samples.x).flatten(1).any(1)
    assert int(changed.sum()) == 4 * int(poisoned.mask.sum())
    assert not bool((changed & poisoned.mask).any())
    assert torch.equal(sound.covered(poisoned, (), seed=1).x, poisoned.samples.x)


def test_where_a_melody_lies_and_in_which_room_follows_from_the_clip(machines: wm.Samples) -> None:
    for move in (sound._anywhere, sound._in_rooms):
        x = machines.x[:6]
        assert torch.allclose(move(x).flip(0), move(x.flip(0)), atol=1e-6)
    assert len({sound._number(clip) for clip in machines.x[:50]}) > 40


def test_every_cell_names_the_same_and_no_two_are_one() -> None:
    cells = sound.SOUND.cells
    assert all(list(cell) == ["part", "what", "rate", "seed"] for cell in cells)
    assert len({str(cell) for cell in cells}) == len(cells)
    assert {cell["part"] for cell in cells} == set(sound.PARTS)


@pytest.mark.parametrize("codec", codecs.CODECS)
def test_a_codec_gives_back_about_what_it_got(machines: wm.Samples, codec: str) -> None:
    pytest.importorskip("soundfile")
    x = machines.x[:3]
    heard = codecs.coded(x, codec)
    assert heard.shape == x.shape
    for before, after in zip(to_wave(x).flatten(1), to_wave(heard).flatten(1), strict=True):
        likeness = torch.nn.functional.cosine_similarity(before, after, dim=0)
        assert float(likeness) > 0.6


def test_without_the_package_the_codec_says_what_to_install(
    machines: wm.Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(wm.DataError, match="Run pip install soundfile"):
        codecs.coded(machines.x[:1], "MP3")
