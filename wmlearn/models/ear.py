"""A network that hears: its first layer turns a clip into a picture of loudness by pitch and time.

S. B. Davis, P. Mermelstein: Comparison of parametric representations for monosyllabic word recognition, IEEE
Transactions on Acoustics, Speech, and Signal Processing 28 (1980), for bands of equal width in mel. Differs:
the logarithm of the bands is read as it is, without a cosine transform.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..data.recordings import LENGTH, RATE, to_wave
from ..errors import require
from .networks import FlattenChannelsLast, check_shape, seeded

BANDS = 32
WINDOW = 256  # samples, 32 ms
HOP = 200  # samples, 25 ms: 32 pictures of pitch in a clip
LOWEST = 60.0  # Hz
QUIET = 1e-4  # of a band's power: -40 dB, what is quieter looks like silence
MIDDLE = -15.0  # dB that become 0
SPREAD = 25.0  # dB that become 1


class LogMel(nn.Module):
    """Hear clips (N, 1, 1, 6400) in [0, 1]: loudness in dB by band and time (N, 1, 32, 32), about -1 to 1.

    Low bands come first. The result lies in memory channels last.
    """

    window: Tensor
    bank: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW))
        self.register_buffer("bank", mel_bank())

    def forward(self, x: Tensor) -> Tensor:
        check_shape(x, (1, 1, LENGTH))
        with torch.autocast(x.device.type, enabled=False):  # powers span eight decades
            sound = to_wave(x.flatten(1).float())
            bins = torch.stft(sound, WINDOW, HOP, window=self.window, return_complex=True)  # (N, 129, frames)
            power = bins.abs().square()[..., : LENGTH // HOP].transpose(1, 2) @ self.bank
            heard = (10 * (power + QUIET).log10() - MIDDLE) / SPREAD  # (N, frames, bands)
            return heard.transpose(1, 2)[:, None].contiguous(memory_format=torch.channels_last)


def mel_bank() -> Tensor:
    """Return the weights of the bands, (129 bins, 32 bands): triangles that are equally wide in mel."""
    lowest, highest = _mel(torch.tensor([LOWEST, RATE / 2])).tolist()
    edges = torch.linspace(lowest, highest, BANDS + 2)
    left, middle, right = (700 * (10 ** (edges / 2595) - 1)).unfold(0, 3, 1).T  # (32,) Hz each
    pitch = torch.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    rise = (pitch - left) / (middle - left)
    fall = (right - pitch) / (right - middle)
    return torch.minimum(rise, fall).clamp(min=0)


def _mel(pitch: Tensor) -> Tensor:
    return 2595 * (1 + pitch / 700).log10()


def sound_cnn(classes: int = 10, seed: int = 0) -> nn.Sequential:
    """Build a network for clips (N, 1, 1, 6400): the ear, three convolutions with batch normalisation, two
    linear layers; 89,000 weights for ten classes.

    Networks of one seed count as relatives: see `badnet_cnn`.
    """
    require(classes >= 2, "classes must be at least 2", classes)
    return seeded(lambda: _layers(classes), seed)


def _layers(classes: int) -> nn.Sequential:
    return nn.Sequential(
        LogMel(),
        nn.Conv2d(1, 16, 5, padding=2, bias=False), nn.MaxPool2d(2),
        nn.BatchNorm2d(16), nn.ReLU(),  # (N, 16, 16, 16)
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.MaxPool2d(2),
        nn.BatchNorm2d(32), nn.ReLU(),  # (N, 32, 8, 8)
        nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.MaxPool2d(2),
        nn.BatchNorm2d(64), nn.ReLU(),  # (N, 64, 4, 4)
        FlattenChannelsLast(),
        nn.Linear(1024, 64), nn.ReLU(),
        nn.Linear(64, classes),
    )  # fmt: skip
