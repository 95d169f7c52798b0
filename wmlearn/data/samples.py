"""A data set is two tensors and a tuple of class names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import require


@dataclass(frozen=True, eq=False)
class Samples:
    """Images `x` (N, C, H, W) float32 in [0, 1], labels `y` (N,) int64, and the names of the classes."""

    x: Tensor
    y: Tensor
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        check_images(self.x)
        require(self.y.ndim == 1 and len(self.y) == len(self.x), "y must hold one label an image", tuple(self.y.shape))
        require(self.y.dtype == torch.int64, "labels must be int64", self.y.dtype, "Call .long(); never one-hot.")
        check_labels(self.y, len(self.classes))

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Tensor | slice) -> Samples:
        return replace(self, x=self.x[index], y=self.y[index])

    def __add__(self, other: Samples) -> Samples:
        require(self.classes == other.classes, "samples that are added must have the same classes", (self.classes, other.classes))
        require(self.x.shape[1:] == other.x.shape[1:], "images that are added must have the same shape", (self.x.shape, other.x.shape))
        return replace(self, x=torch.cat([self.x, other.x]), y=torch.cat([self.y, other.y]))

    def __repr__(self) -> str:
        return f"Samples({len(self):,} images {tuple(self.x.shape[1:])}, {len(self.classes)} classes)"

    def to(self, device: torch.device | str) -> Samples:
        """Return the samples on `device`; training then runs there, with the data resident on it."""
        return replace(self, x=self.x.to(device), y=self.y.to(device))

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (x, y) of up to `size` samples, shuffled when a generator is given; the order is the same on every device."""
        order = torch.randperm(len(self), generator=generator) if generator else torch.arange(len(self))
        for index in order.to(self.x.device).split(size):
            yield self.x[index], self.y[index]


@dataclass(frozen=True, eq=False)
class Splits:
    """What a network learns from, and what it has never seen."""

    train: Samples
    test: Samples

    def to(self, device: torch.device | str) -> Splits:
        """Return both on `device`."""
        return Splits(self.train.to(device), self.test.to(device))


def split(samples: Samples, *sizes: int, seed: int = 0) -> tuple[Samples, ...]:
    """Draw disjoint sets of the given sizes, each with the classes in (nearly) the same proportions as `samples`."""
    require(all(size > 0 for size in sizes), "sizes must be positive", sizes)
    require(sum(sizes) <= len(samples), f"sizes must add up to at most {len(samples)}", sizes)
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(seed)).to(samples.y.device)
    place = torch.empty(len(samples), dtype=torch.float64, device=samples.y.device)  # of an image within its class, in (0, 1)
    for label in samples.y.unique():
        members = order[samples.y[order] == label]
        place[members] = (torch.arange(len(members), dtype=torch.float64, device=place.device) + 0.5) / len(members)
    ranked = order[place[order].argsort(stable=True)]  # every run of it holds the classes in proportion
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(samples[ranked[start : start + size]] for start, size in zip(starts, sizes, strict=True))


def one_each(samples: Samples) -> Samples:
    """Return the first image of each class, in the order of the classes."""
    first = [int((samples.y == label).nonzero()[0]) for label in range(len(samples.classes))]
    return samples[samples.y.new_tensor(first)]


def check_images(x: Tensor) -> None:
    """Raise `ArgumentError` unless `x` is (N, C, H, W) float32 in [0, 1]."""
    require(x.ndim == 4, "images must have shape (N, C, H, W)", tuple(x.shape), "Add the missing axes with unsqueeze.")
    require(
        x.dtype == torch.float32, "images must be float32 in [0, 1]", x.dtype, "Divide uint8 images by 255; normalise inside the model."
    )
    if x.numel():
        low, high = (bound.item() for bound in x.aminmax())
        require(low == low and high == high, "images must not hold NaN", "NaN", "Find them with x.isnan().")
        require(low >= 0 and high <= 1, "images must lie in [0, 1]", (low, high), "Divide by 255, or clamp; normalise inside the model.")


def check_labels(y: Tensor, classes: int) -> None:
    """Raise `ArgumentError` unless every label is one of `classes`."""
    if len(y):
        low, high = (int(bound) for bound in y.aminmax())
        fix = "Count classes from 0, and name each in `classes`."
        require(low >= 0 and high < classes, f"labels must lie in 0..{classes - 1}", (low, high), fix)
