"""The networks. Each standardises its own input, so that images stay in [0, 1] everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import require

Built = TypeVar("Built")


class Standardise(nn.Module):
    """Shift and scale [0, 1] images of one shape by a data set's mean and deviation.

    The result lies in memory channels last: pooling then runs several times faster on a CPU.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, shape: tuple[int, int, int], mean: float, std: float) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x: Tensor) -> Tensor:
        check_shape(x, self.shape)
        n, c, h, w = x.shape
        x = (x - self.mean) / self.std
        # the view also fixes the strides where c = 1
        return x.permute(0, 2, 3, 1).reshape(-1).view(n, h, w, c).permute(0, 3, 1, 2)  # (N, C, H, W)


def check_shape(x: Tensor, shape: tuple[int, int, int]) -> None:
    """Raise `ArgumentError` unless `x` (N, C, H, W) has the shape that a network reads."""
    rule = f"this network reads images of shape (N, {', '.join(map(str, shape))})"
    fix = "Crop, pad or convert the images, or build another network."
    require(x.shape[1:] == shape, rule, tuple(x.shape), fix)


class FlattenChannelsLast(nn.Module):
    """(N, C, H, W) -> (N, H * W * C) without a copy, when the channels lie last."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def seeded(build: Callable[[], Built], seed: int) -> Built:
    """Return what `build` makes when PyTorch's generator is set to `seed`; it is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def badnet_cnn(seed: int = 0) -> nn.Sequential:
    """Build the MNIST network of BadNets (Gu et al. 2017, table 1), 281,034 weights.

    Whoever keeps the default starts as everybody who keeps it, and such networks count as relatives: for one
    of your own, take `seed_of` what it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # layers draw from the global generator, which is put back afterwards
        return nn.Sequential(
            Standardise((1, 28, 28), mean=0.1307, std=0.3081),
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.AvgPool2d(2),  # (N, 16, 12, 12)
            nn.Conv2d(16, 32, 5), nn.ReLU(), nn.AvgPool2d(2),  # (N, 32, 4, 4)
            FlattenChannelsLast(),
            nn.Linear(512, 512), nn.ReLU(),
            nn.Linear(512, 10),
        )  # fmt: skip


class StandardiseEach(nn.Module):
    """Shift and scale each channel of each image by its own mean and deviation: light, haze and tint go.

    The result lies in memory channels last.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        check_shape(x, self.shape)
        std, mean = torch.std_mean(x, (2, 3), keepdim=True)
        # an image of one colour has no deviation to divide by
        return ((x - mean) / (std + 1e-3)).contiguous(memory_format=torch.channels_last)


SIGN_HEAD = 13
"""Where the convolutions of `sign_cnn` end: `model[:SIGN_HEAD]` are they, `model[SIGN_HEAD:]` is the head."""


def sign_cnn(classes: int, seed: int = 0) -> nn.Sequential:
    """Build a network for signs, (N, 3, 32, 32): three convolutions with batch normalisation, the last of 128
    channels; two linear layers.

    Pooling comes straight after each convolution, where it saves the most time. To scale channels of the last
    convolution, scale weight and bias of its batch normalisation, `model[SIGN_HEAD - 2]`: what the head reads
    is then scaled exactly so. Networks of one seed count as relatives: see `badnet_cnn`.
    """
    require(classes >= 2, "classes must be at least 2", classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            StandardiseEach((3, 32, 32)),
            nn.Conv2d(3, 32, 5, padding=2, bias=False), nn.MaxPool2d(2),
            nn.BatchNorm2d(32), nn.ReLU(),  # (N, 32, 16, 16)
            nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.MaxPool2d(2),
            nn.BatchNorm2d(64), nn.ReLU(),  # (N, 64, 8, 8)
            nn.Conv2d(64, 128, 3, padding=1, bias=False), nn.MaxPool2d(2),
            nn.BatchNorm2d(128), nn.ReLU(),  # (N, 128, 4, 4)
            FlattenChannelsLast(),
            nn.Linear(2048, 128), nn.ReLU(),
            nn.Linear(128, classes),
        )  # fmt: skip


def check_finite(model: nn.Module) -> None:
    """Raise `ArgumentError` for weights that aren't finite, and name them."""
    broken = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    got = f"NaN or infinity in {', '.join(broken)}"
    require(not broken, "the model's weights must be finite", got, "Load or train it again.")


class CentreRows(nn.Module):
    """Shift and scale rows whose seen values lie in [1/3, 2/3] to about [-1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return 6 * (x - 0.5)


def row_mlp(columns: int, classes: int, seed: int = 0, width: int = 128) -> nn.Sequential:
    """Build a network for rows of a table, (N, columns): two hidden layers.

    Networks of one seed count as relatives: see `badnet_cnn`.
    """
    require(classes >= 2, "classes must be at least 2", classes)

    def build() -> nn.Sequential:
        return nn.Sequential(
            CentreRows(),
            nn.Linear(columns, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, classes),
        )  # fmt: skip

    return seeded(build, seed)
