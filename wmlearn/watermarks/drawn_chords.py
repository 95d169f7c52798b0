"""Triggers that are heard: chords drawn from a secret, for a key of a network that hears."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data import Samples
from ..data.recordings import LEVEL, RATE, from_wave
from ..errors import require
from .secret import uniform

NOTES = 8  # chords of a clip, one after another
VOICES = 3  # pitches of a chord
LOWEST = 200.0  # Hz
RANGE = 15.0  # the highest pitch is that many times the lowest: 3,000 Hz, which a telephone lets through


def chords(secret: bytes, n: int, samples: Samples) -> Tensor:
    """Draw `n` clips (n, 1, 1, T) of eight chords each, as long as the samples' and as loud as speech.

    For `Adi2018(draw=chords)`: its own abstract images would be waves too slow to be heard. Raises
    `ArgumentError` for samples that aren't clips.
    """
    shape = tuple(samples.x.shape[1:])
    fits = len(shape) == 3 and shape[:2] == (1, 1) and shape[2] >= NOTES
    require(fits, "chords must be drawn for clips (N, 1, 1, T)", shape, "Other inputs need another draw.")
    length = shape[2]
    pitches = LOWEST * RANGE ** uniform(secret, "pitches", n, VOICES, NOTES)
    loudness = uniform(secret, "loudness", n, VOICES, NOTES)
    note = torch.arange(length) * NOTES // length  # (T,) which chord sounds
    turns = torch.cumsum(pitches.double()[..., note] / RATE, 2)  # no phase jumps between two chords
    sound = (loudness[..., note] * torch.sin(2 * torch.pi * turns).float()).sum(1)  # (n, T)
    scale = LEVEL / sound.square().mean(1, keepdim=True).sqrt()
    return from_wave(sound * scale)[:, None, None]
