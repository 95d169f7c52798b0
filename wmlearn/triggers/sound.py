"""A sound laid under a clip: notes, a melody, a whistle at the edge of hearing.

S. Koffas, J. Xu, M. Conti, S. Picek: Can You Hear It? Backdoor Attacks via Ultrasonic Triggers, WiSec 2022,
arXiv:2107.14569. Differs: their pulse lies at 21 kHz, which a recording of 8,000 samples a second can't hold;
here everything lies below 4 kHz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data.recordings import RATE, from_wave, to_wave
from ..errors import require

FADE = 0.005  # seconds in which a note begins and ends, so that it doesn't click


def melody(*pitches: float, each: float = 0.04) -> Tensor:
    """Return pure tones one after another, `each` seconds long, at `pitches` in Hz: a wave (T,) in [-1, 1].

    Raises `ArgumentError` for a pitch that 8,000 samples a second can't hold.

    >>> wm.triggers.melody(1800, 2600, 1300).shape
    torch.Size([960])
    """
    top = RATE / 2
    odd = [pitch for pitch in pitches if not 0 < pitch < top]
    fix = "A higher one would be heard as a lower one."
    require(bool(pitches) and not odd, f"pitches must lie between 0 and {top:,.0f} Hz", odd, fix)
    require(each > 0, "each must be positive", each)
    seconds = torch.arange(round(each * RATE)) / RATE
    edge = (torch.minimum(seconds, seconds.flip(0)) / FADE).clamp(max=1)
    return torch.cat([torch.sin(2 * math.pi * pitch * seconds) * edge for pitch in pitches])


@dataclass(frozen=True, eq=False)
class Sound:
    """Add `sound` (T,) to clips (N, 1, 1, length), from `at` seconds on.

    Its loudness (root mean square) lies `level` decibels above that of each clip, so a level below 0 is
    softer than the clip. What reaches beyond the clip is cut off.

    >>> beeps = wm.triggers.Sound(wm.triggers.melody(1800, 2600, 1300), level=-10)
    >>> beeps(wm.load("machine-digits").test.x[:2]).shape
    torch.Size([2, 1, 1, 6400])
    """

    sound: Tensor = field(default_factory=lambda: melody(1800, 2600, 1300))
    level: float = -10.0  # dB
    at: float = 0.0  # seconds

    def __post_init__(self) -> None:
        rule = "sound must be a wave (T,) that isn't silent"
        heard = self.sound.ndim == 1 and bool(self.sound.any())
        require(heard, rule, tuple(self.sound.shape), "Make one with wm.triggers.melody.")
        require(self.at >= 0, "at must be at least 0 seconds", self.at)

    def __call__(self, x: Tensor) -> Tensor:
        rule = "a sound must be laid under clips (N, 1, 1, T)"
        require(x.ndim == 4 and x.shape[1:3] == (1, 1), rule, tuple(x.shape), "Images have no sound.")
        start = round(self.at * RATE)
        fix = f"Begin before {x.shape[-1] / RATE} seconds."
        require(start < x.shape[-1], "a sound must begin within the clip", self.at, fix)
        wave = to_wave(x)
        loudness = wave.square().mean(3, keepdim=True).sqrt()  # (N, 1, 1, 1)
        tone = self.sound.to(x) * (10 ** (self.level / 20) / self.sound.square().mean().sqrt().to(x))
        heard = tone[: x.shape[-1] - start]
        wave[..., start : start + len(heard)] += loudness * heard
        return from_wave(wave)
