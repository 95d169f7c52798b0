"""Digits spoken by machines: a hundred voices, drawn by lot, that say zero to nine.

Needs the programs espeak-ng 1.51 and flite 2.2, as Debian 12 packs them; what they speak ships with the
course, so only whoever makes the file anew needs them. A voice of espeak-ng is an accent, a timbre, a speed
and a pitch; a foreign accent speaks the phonemes of the English word. Flite has four recorded speakers.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError
from . import files
from .recordings import LENGTH, RATE, compress
from .spoken import MACHINES

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = (
    "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029",
    "de", "fr", "el", "nl", "es",
)  # fmt: skip
TIMBRES = (
    "", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5",
    "+klatt", "+klatt2", "+klatt3", "+croak", "+whisper",
)  # fmt: skip
RECORDED = ("kal", "awb", "rms", "slt")
PER_RECORDED = 4  # ways in which each of flite's speakers talks
BY_RULE = 84  # voices of espeak-ng
N_TEST = 16  # of those, for the test set; of flite's speakers, the third
FLOOR = 0.02  # of the loudest sample: what is quieter before and after a word is cut off
HEADER = 44  # bytes of a WAV file before its samples; espeak-ng doesn't know their number when it writes it
RATES = {"kal": 8_000}  # samples a second of flite's speakers
SPOKEN = 16_000  # of the others
RULED = 22_050  # of espeak-ng


@dataclass(frozen=True)
class Voice:
    """A program and how it is to speak."""

    program: str
    name: str
    speed: float  # words a minute of espeak-ng, the length of sounds of flite
    pitch: int

    def say(self, word: str) -> Tensor:
        """Return the word as a wave (T,) of `RATE` samples a second, at most a clip long, loudest sample 1.

        Raises `DataError` where the program is missing or fails.
        """
        speak = _by_rule if self.program == "espeak-ng" else _recorded
        sound = _trimmed(speak(self, word))[:LENGTH]
        return torch.from_numpy(sound / np.abs(sound).max()).float()


def drawn() -> list[Voice]:
    """Draw the voices; the random generator of Python's library gives the same ones everywhere."""
    dice = random.Random(13)
    names = [accent + timbre for accent in ACCENTS for timbre in TIMBRES]
    ruled = [
        Voice("espeak-ng", name, dice.randint(110, 230), dice.randint(10, 80))
        for name in dice.sample(names, BY_RULE)
    ]
    recorded = [
        Voice("flite", name, round(dice.uniform(0.7, 1.3), 2), dice.choice((90, 110, 130, 160, 200)))
        for name in RECORDED * PER_RECORDED
    ]
    return ruled + recorded


def ship() -> None:
    """Speak all digits in all voices, and write the file that ships, 8 bits a sample."""
    from safetensors.torch import save_file

    voices = drawn()
    sounds = [voice.say(word) for voice in voices for word in WORDS]
    names = list(dict.fromkeys(voice.name for voice in voices))
    groups = torch.tensor([names.index(voice.name) for voice in voices])
    is_test = torch.tensor([_is_test(i, voice) for i, voice in enumerate(voices)])
    tensors = {
        "mu_law": compress(torch.cat(sounds)),
        "length": torch.tensor([len(sound) for sound in sounds]),
        "digit": torch.arange(10).repeat(len(voices)),
        "voice": groups.repeat_interleave(10),
        "is_test": is_test.repeat_interleave(10).to(torch.uint8),
    }
    path = files.ROOT / MACHINES
    files.whole_or_nothing(path, lambda temporary: save_file(tensors, temporary))
    files.record(
        MACHINES,
        licence="CC BY 4.0",
        origin="spoken by espeak-ng 1.51 (GPL-3.0-or-later) and flite 2.2 (BSD-style), whose licences"
        " don't cover what they speak",
        made='python -c "from wmlearn.data import voices; voices.ship()"',
    )


def _is_test(number: int, voice: Voice) -> bool:
    return voice.name == RECORDED[2] or number < N_TEST


def _by_rule(voice: Voice, word: str) -> np.ndarray:
    text = word if voice.name.startswith("en") else f"[[{_phonemes(word)}]]"
    options = {"-v": voice.name, "-s": voice.speed, "-p": voice.pitch}
    raw = _run("espeak-ng", options, "--stdout", text)
    return _resampled(raw[HEADER:], RULED)


def _phonemes(word: str) -> str:
    return _run("espeak-ng", {"-v": "en-us"}, "-x", "-q", word).decode().strip()


def _recorded(voice: Voice, word: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        speed = ("--setf", f"duration_stretch={voice.speed}")
        pitch = ("--setf", f"int_f0_target_mean={voice.pitch}")
        _run("flite", {"-voice": voice.name, "-o": path}, *speed, *pitch, "-t", word)
        return _resampled(path.read_bytes()[HEADER:], RATES.get(voice.name, SPOKEN))


def _run(program: str, options: Mapping[str, object], *words: str) -> bytes:
    flat = [str(part) for option in options.items() for part in option]
    try:
        return subprocess.run([program, *flat, *words], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        fix = "On Debian: apt-get install espeak-ng flite."
        raise DataError(f"{program} must run and speak, got: {error}. {fix}") from error


def _resampled(raw: bytes, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    pcm = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float64)
    shared = gcd(RATE, rate)
    return resample_poly(pcm, RATE // shared, rate // shared)


def _trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > FLOOR * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]
