"""Spoken digits: what ships is what the voices say; folders of WAV files are read, and what is wrong with one
is named with its remedy.
"""

from __future__ import annotations

import hashlib
import io
import math
import shutil
import tarfile
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import wmlearn as wm
from wmlearn.data import files, recordings, spoken, voices

SPEAKERS = ("ana", "bo")


def _wav(
    path: Path, pcm: np.ndarray | None = None, *, rate: int = 8000, channels: int = 1, width: int = 2
) -> None:
    if pcm is None:
        pcm = (8000 * np.sin(np.arange(2000) / 5)).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(pcm.tobytes())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two digits, two speakers, seven takes, each of another pitch."""
    folder = tmp_path / "own" / "recordings"
    folder.mkdir(parents=True)
    for digit in (3, 7):
        for number, speaker in enumerate(SPEAKERS):
            for take in range(7):
                pitch = 0.1 + 0.1 * digit + 0.01 * number + 0.001 * take
                pcm = (8000 * np.sin(np.arange(2000) * pitch)).astype("<i2")
                _wav(folder / f"{digit}_{speaker}_{take}.wav", pcm)
    return tmp_path / "own"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


# What ships


def test_a_thousand_digits_ship_and_no_voice_is_in_both_sets() -> None:
    digits = wm.load("machine-digits")
    assert digits.train.x.shape == (800, 1, 1, 6400)
    assert digits.test.x.shape == (200, 1, 1, 6400)
    assert digits.train.y.bincount().tolist() == [80] * 10
    assert digits.test.y.bincount().tolist() == [20] * 10
    assert digits.train.groups is not None
    assert digits.test.groups is not None
    assert not set(digits.train.groups.tolist()) & set(digits.test.groups.tolist())


def test_every_clip_is_as_loud_and_no_two_are_one() -> None:
    digits = wm.load("machine-digits")
    every = recordings.to_wave(torch.cat([digits.train.x, digits.test.x])).flatten(1)
    sounding = (every != 0).long()
    first = sounding.argmax(1)
    length = every.shape[1] - sounding.flip(1).argmax(1) - first
    loudness = (every.square().sum(1) / length).sqrt()
    assert loudness.sub(recordings.LEVEL).abs().median() < 0.003
    assert len({row.numpy().tobytes() for row in every}) == 1000


def test_machine_digits_ship_so_that_a_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(wm.ArgumentError, match="must have no root, since they ship"):
        wm.load("machine-digits", root=tmp_path)


def test_a_hundred_voices_are_drawn_alike_everywhere() -> None:
    drawn = voices.drawn()
    assert len(drawn) == 100
    assert drawn == voices.drawn()
    assert len({voice.name for voice in drawn if voice.program == "espeak-ng"}) == voices.BY_RULE


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None or shutil.which("flite") is None,
    reason="needs Debian's packages espeak-ng and flite",
)
def test_a_voice_says_again_what_ships() -> None:
    voice = voices.drawn()[voices.BY_RULE]
    assert voice.program == "flite"
    again = recordings.clip(recordings.expand(recordings.compress(voice.say("three"))))
    digits = wm.load("machine-digits").train
    (near,) = ((digits.x - again).abs().amax((1, 2, 3)) < 0.01).nonzero().flatten().tolist()
    assert digits.y[near] == 3


def test_a_program_that_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(wm.DataError, match=r"espeak-ng must run and speak.*apt-get install espeak-ng flite"):
        voices.drawn()[0].say("one")


# Clips, and their eight bits


def test_eight_bits_keep_what_is_quiet_better_than_what_is_loud() -> None:
    loud = torch.linspace(-1, 1, 20_001)
    again = recordings.expand(recordings.compress(loud))
    assert (again - loud).abs().max() < 0.025
    quiet = loud.abs() < 0.01
    assert (again - loud).abs()[quiet].max() < 3e-4
    assert torch.equal(recordings.compress(again), recordings.compress(loud))
    assert again[10_000] == 0


def test_a_clip_is_of_one_loudness_and_stands_in_the_middle() -> None:
    soft = 0.01 * torch.sin(torch.arange(1000) / 3)
    x = recordings.clip(soft)
    assert x.shape == (1, 1, 6400)
    assert torch.allclose(recordings.clip(30 * soft), x, atol=1e-6)
    heard = recordings.to_wave(x).flatten()[2700:3700]
    assert math.isclose(float(heard.square().mean().sqrt()), recordings.LEVEL, rel_tol=1e-3)
    assert bool((x.flatten()[:2700] == 0.5).all())
    assert recordings.clip(torch.sin(torch.arange(9000) / 3)).shape == (1, 1, 6400)


@pytest.mark.parametrize(("pcm", "got"), [(torch.zeros(100), "silence"), (torch.zeros(0), "nothing")])
def test_silence_is_no_clip(pcm: torch.Tensor, got: str) -> None:
    with pytest.raises(wm.ArgumentError, match=f"must hold a sound, got '{got}'"):
        recordings.clip(pcm)


# A folder


@pytest.mark.parametrize("within", ["", "recordings"])
def test_takes_0_to_4_are_the_test_set_and_groups_are_speakers(root: Path, within: str) -> None:
    digits = wm.load("spoken-digits", root=root / within)
    assert len(digits.test) == 2 * 2 * 5
    assert len(digits.train) == 2 * 2 * 2
    assert digits.test.y.tolist() == [3] * 10 + [7] * 10
    assert digits.test.groups is not None
    assert digits.test.groups.tolist() == 2 * ([0] * 5 + [1] * 5)


def test_a_clip_holds_its_own_file(root: Path) -> None:
    digits = wm.load("spoken-digits", root=root)
    sound = recordings.read_wav(root / "recordings" / "3_bo_2.wav")
    assert torch.equal(digits.test.x[7], recordings.clip(sound))


def _rename(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "3_ana_0.wav").rename(folder / name)


def _overwrite(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "3_ana_0.wav").write_bytes(content)


def _replace(**kind: Any) -> Callable[[Path], object]:
    return lambda folder: _wav(folder / "3_ana_0.wav", **kind)


def _empty(folder: Path) -> None:
    _wav(folder / "3_ana_0.wav", np.zeros(0, "<i2"))


def _silent(folder: Path) -> None:
    _wav(folder / "3_ana_0.wav", np.zeros(500, "<i2"))


def _only_takes(low: int, high: int) -> Callable[[Path], object]:
    def remove(folder: Path) -> None:
        for path in folder.glob("*.wav"):
            if not low <= int(path.stem[-1]) <= high:
                path.unlink()

    return remove


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "another rate": (
        _replace(rate=16000),
        r"3_ana_0.wav must have 8,000 samples a second, got 16000. Convert",
    ),
    "stereo": (_replace(channels=2), r"3_ana_0.wav must have one channel, got 2. Convert it, .* -c 1 "),
    "24 bit": (_replace(width=3), r"3_ana_0.wav must have 16 bits a sample, got 24. Convert"),
    "8 bit": (_replace(width=1), r"3_ana_0.wav must have 16 bits a sample, got 8. Convert"),
    "no samples": (_empty, r"3_ana_0.wav must hold a sound, got a file without samples"),
    "silence": (_silent, r"3_ana_0.wav must hold a sound, got 'silence'"),
    "an empty file": (
        _overwrite(b""),
        r"3_ana_0.wav must be a WAV file of plain samples .PCM., got: an early end",
    ),
    "no WAV": (_overwrite(b"ID3 this is an MP3" * 9), r"3_ana_0.wav must be a WAV file .*Convert it"),
    "a short header": (_overwrite(b"RIFF\x04\0\0\0WAVE"), r"3_ana_0.wav must be a WAV file"),
    "a label never seen": (_rename("11_ana_0.wav"), r"11_ana_0.wav must be of a digit 0 to 9, got '11'"),
    "another name": (_rename("three.wav"), r"three.wav must be called <digit>_<speaker>_<take>.wav"),
    "nothing to train on": (
        _only_takes(0, 4),
        r"must hold takes 0 to 4, to test, and others, .*got '20 of 20",
    ),
    "nothing to test": (_only_takes(5, 6), r"must hold takes 0 to 4, to test, and others, .*got '0 of 8"),
    "no recordings": (_only_takes(9, 9), r"recordings must hold recordings, got none"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_folder_is_refused_in_words(root: Path, name: str) -> None:
    damage, says = DAMAGE[name]
    damage(root / "recordings")
    with pytest.raises(wm.WmlearnError, match=says):
        wm.load("spoken-digits", root=root)


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(wm.ArgumentError, match="must be a folder of recordings, got no folder"):
        wm.load("spoken-digits", root=tmp_path / "nowhere")


def test_without_a_network_an_empty_cache_says_what_to_do() -> None:
    with pytest.raises(wm.DataError, match="wmlearn data fetch spoken-digits"):
        wm.load("spoken-digits", download=False)


# The download


def _archive(root: Path, *, prefix: str = "set-1", extra: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(root / "recordings", f"{prefix}/recordings")
        if extra:
            archive.add(root / "recordings" / "3_ana_0.wav", extra)
    return packed.getvalue()


class _Answer(io.BytesIO):
    pass


def _serve(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(spoken, "urlopen", lambda address, timeout: _Answer(raw))


def test_an_archive_is_unpacked_once_and_nothing_leaves_the_folder(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoken, "DIGEST", spoken.digest(root / "recordings"))
    _serve(monkeypatch, _archive(root, extra="set-1/recordings/../../../evil_x_1.wav"))
    assert len(wm.load("spoken-digits").test) == 20
    monkeypatch.setattr(spoken, "urlopen", None)  # not asked again
    assert len(wm.load("spoken-digits", download=False).train) == 8
    assert sorted(path.name for path in cache.iterdir()) == ["spoken-digits"]
    assert not list(cache.parent.rglob("evil*"))


@pytest.mark.parametrize("raw", [b"", b"<html>no such page</html>"])
def test_an_answer_that_is_no_archive_leaves_nothing(
    raw: bytes, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, raw)
    with pytest.raises(wm.DataError, match="must be an archive, got"):
        wm.load("spoken-digits")
    assert not list(cache.iterdir())


def test_other_recordings_than_those_named_are_refused(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, _archive(root))
    with pytest.raises(wm.DataError, match=f"must hold the recordings with sha256 {spoken.DIGEST[:12]}"):
        wm.load("spoken-digits")
    assert not list(cache.iterdir())


def test_no_network_is_said_in_words(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(address: str, timeout: float) -> io.BytesIO:
        raise OSError("no network")

    monkeypatch.setattr(spoken, "urlopen", fail)
    with pytest.raises(wm.DataError, match=r"must arrive in .*no network"):
        wm.load("spoken-digits")
    assert not list(cache.iterdir())


def test_the_digest_sees_names_and_contents(root: Path) -> None:
    folder = root / "recordings"
    before = spoken.digest(folder)
    (folder / "3_ana_0.wav").rename(folder / "3_ana_9.wav")
    assert spoken.digest(folder) != before
    (folder / "3_ana_9.wav").rename(folder / "3_ana_0.wav")
    assert spoken.digest(folder) == before
    _wav(folder / "3_ana_0.wav")
    assert spoken.digest(folder) != before
    assert len(before) == len(hashlib.sha256().hexdigest())


# The real ones, where they are


REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "free-spoken-digit-dataset.tar.xz"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not REAL.exists():
        pytest.skip("the recordings of people lie outside of the project")
    folder = tmp_path_factory.mktemp("people")
    with tarfile.open(REAL) as archive:
        archive.extractall(folder, [member for member in archive if member.name.endswith(".wav")])
    return next(folder.rglob("*.wav")).parent


def test_people_are_read_and_are_those_of_the_checksum(people: Path) -> None:
    digits = wm.load("spoken-digits", root=people)
    assert (len(digits.train), len(digits.test)) == (2700, 300)
    assert digits.train.groups is not None
    assert digits.train.groups.bincount().tolist() == [450] * 6
    assert spoken.digest(people) == spoken.DIGEST
