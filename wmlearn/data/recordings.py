"""Sounds as inputs: a clip is a row of loudness, 8,000 numbers a second, in [0, 1]; 0.5 is silence."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ArgumentError, DataError, require
from . import files

RATE = 8_000  # samples a second; no pitch above half of that can be held
LENGTH = 6_400  # samples of a clip, 0.8 seconds
LEVEL = 0.1  # root mean square of what is spoken; full scale is 1
MU = 255  # of the North American curve in ITU-T G.711
MOST_BYTES = 2**22  # of one recording; a second of the right kind has 16,000
CONVERT = "Convert it, for example with `sox IN.wav -r 8000 -c 1 -b 16 OUT.wav`."


def clip(pcm: Tensor) -> Tensor:
    """Bring a recording (T,) of any loudness to a clip (1, 1, LENGTH) in [0, 1], itself in the middle.

    Its root mean square becomes `LEVEL`, so that no word is known by its loudness; what is longer than a clip
    is cut off. Raises `ArgumentError` for silence.
    """
    sound = pcm.float()[:LENGTH]
    loudness = sound.square().mean().sqrt()
    rule = "a recording must hold a sound"
    require(bool(loudness > 0), rule, "silence" if len(sound) else "nothing", "Record it again.")
    left = (LENGTH - len(sound)) // 2
    middle = F.pad(sound * (LEVEL / loudness), (left, LENGTH - len(sound) - left))
    return from_wave(middle)[None, None]


def to_wave(x: Tensor) -> Tensor:
    """Return clips in [0, 1] as a loudspeaker takes them, in [-1, 1]."""
    return 2 * x - 1


def from_wave(sound: Tensor) -> Tensor:
    """Return waves in [-1, 1] as networks take them, in [0, 1]; what is louder is clipped."""
    return (sound / 2 + 0.5).clamp(0, 1)


def compress(sound: Tensor) -> Tensor:
    """Write a wave in [-1, 1] as uint8 on the mu-law curve, which spends its steps on what is quiet.

    ITU-T G.711 gives this curve in straight pieces; here it is the smooth one, with 127 steps each way.
    """
    loud = sound.abs().clamp(max=1)
    steps = torch.round(127 * torch.log1p(MU * loud) / math.log1p(MU))
    return (128 + sound.sign() * steps).to(torch.uint8)


def expand(steps: Tensor) -> Tensor:
    """Read the uint8 that `compress` writes, as a wave in [-1, 1]."""
    signed = (steps.float() - 128) / 127
    return signed.sign() * torch.expm1(signed.abs() * math.log1p(MU)) / MU


def read_wav(path: Path) -> Tensor:
    """Read a WAV file of 8,000 samples a second, one channel and 16 bits, as a wave (T,) in [-1, 1].

    Raises `DataError` for a file that can't be read or is no WAV, and `ArgumentError` for one of another
    kind; the message says how to convert it.
    """
    raw = files.read(path, most=MOST_BYTES, fix="Name a recording of a second or so.")
    try:
        with wave.open(io.BytesIO(raw)) as sound:
            kind = {
                "one channel": (sound.getnchannels(), 1),
                f"{RATE:,} samples a second": (sound.getframerate(), RATE),
                "16 bits a sample": (8 * sound.getsampwidth(), 16),
            }
            pcm = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        rule = f"{path} must be a WAV file of plain samples (PCM)"
        raise DataError(f"{rule}, got: {str(error) or 'an early end'}. {CONVERT}") from error
    for rule, (got, wanted) in kind.items():
        require(got == wanted, f"{path} must have {rule}", got, CONVERT)
    if len(pcm) < 2:
        raise ArgumentError(f"{path} must hold a sound, got a file without samples. Record it again.")
    return torch.from_numpy(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 2**15)
