"""What lies between a sound and whoever hears it: filters, telephones, rooms; and clips a little changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import require
from .recordings import LENGTH, LEVEL, RATE, compress, expand, from_wave, to_wave
from .samples import Samples

EDGE = 150.0  # Hz over which a filter goes from all to nothing: a sharper one rings
PHONE = (150.0, 3_400.0)  # Hz that a telephone keeps


def band_pass(x: Tensor, low: float, high: float) -> Tensor:
    """Keep what lies between `low` and `high` Hz of clips (N, 1, 1, T); the edges are 150 Hz wide."""
    require(
        0 <= low < high, "low must lie in 0..high", (low, high), "Name two pitches in Hz, the lower first."
    )
    length = x.shape[-1]
    pitch = torch.linspace(0, RATE / 2, length // 2 + 1, device=x.device)
    rise = torch.ones_like(pitch) if low == 0 else (pitch - low) / EDGE
    fall = torch.ones_like(pitch) if high >= RATE / 2 else (high - pitch) / EDGE
    slope = torch.minimum(rise, fall).clamp(0, 1)
    gain = (1 - (torch.pi * slope).cos()) / 2
    return from_wave(torch.fft.irfft(torch.fft.rfft(to_wave(x)) * gain, length))


def low_pass(x: Tensor, high: float) -> Tensor:
    """Take away what is higher than `high` Hz from clips (N, 1, 1, T)."""
    return band_pass(x, 0, high)


def telephone(x: Tensor) -> Tensor:
    """Send clips (N, 1, 1, T) through a telephone: 150 to 3,400 Hz, 8 bits of mu-law as in ITU-T G.711."""
    return from_wave(expand(compress(to_wave(band_pass(x, *PHONE)))))


@dataclass(frozen=True)
class Room:
    """Play clips in a room, so that a microphone hears walls and noise, too.

    Simulated: the echo is noise that dies away, as in J. A. Moorer, About this reverberation business,
    Computer Music Journal 3 (1979).
    """

    fades: float = 0.4  # seconds in which the echo falls by 60 dB
    echo: float = 0.6  # its root of energy, the direct sound's is 1
    noise: float = -25.0  # dB, above the level of speech
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.fades > 0, "fades must be positive", self.fades)
        require(self.echo >= 0, "echo must be at least 0", self.echo)

    def __call__(self, x: Tensor) -> Tensor:
        """Return what the microphone hears of clips (N, 1, 1, T): of each the same walls and noise."""
        draw = torch.Generator().manual_seed(self.seed)
        length = x.shape[-1]
        n = round(self.fades * RATE)
        walls = torch.randn(n, generator=draw) * 10 ** (-3 * torch.arange(n) / n)
        walls *= self.echo / walls.square().sum().sqrt()
        walls[0] = 1
        size = length + n  # so that no echo comes round to the beginning
        spectrum = torch.fft.rfft(to_wave(x), size) * torch.fft.rfft(walls, size).to(x.device)
        heard = torch.fft.irfft(spectrum, size)[..., :length]
        hiss = torch.randn(length, generator=draw).to(x.device) * LEVEL * 10 ** (self.noise / 20)
        return from_wave(heard + hiss)


@dataclass(frozen=True)
class Shake:
    """How far a copy of a clip may differ from it: earlier or later, louder or softer, with hiss."""

    shift: float = 0.1  # seconds, both ways
    gain: float = 6.0  # dB, both ways
    hiss: float = 0.006  # the most, as a root mean square

    def __call__(self, samples: Samples, *, seed: int = 0) -> Samples:
        """Return a changed copy of each clip, with its label and group; the CPU draws all randomness."""
        draw = torch.Generator().manual_seed(seed)
        n = len(samples)
        x = samples.x
        late = ((2 * torch.rand(n, generator=draw) - 1) * self.shift * RATE).long()
        places = (torch.arange(LENGTH) - late[:, None]) % LENGTH  # (N, LENGTH)
        moved = to_wave(x).gather(3, places[:, None, None].to(x.device))
        gain = 10 ** ((2 * torch.rand(n, 1, 1, 1, generator=draw) - 1) * self.gain / 20)
        hiss = torch.rand(n, 1, 1, 1, generator=draw) * self.hiss * torch.randn(x.shape, generator=draw)
        return replace(samples, x=from_wave(moved * gain.to(x.device) + hiss.to(x.device)))
