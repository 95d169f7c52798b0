"""A data set is two tensors and a tuple of class names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from ..errors import require


@dataclass(frozen=True, eq=False)
class Samples:
    """Images `x` (N, C, H, W) float32 in [0, 1], labels `y` (N,) int64, and the names of the classes.

    `groups` (N,) int64, if known, numbers the thing that each image shows: images of one thing are no
    independent evidence.
    """

    x: Tensor
    y: Tensor
    classes: tuple[str, ...]
    groups: Tensor | None = None

    def __post_init__(self) -> None:
        check_images(self.x)
        require(
            self.y.ndim == 1 and len(self.y) == len(self.x),
            "y must hold one label an image",
            tuple(self.y.shape),
        )
        require(
            self.y.dtype == torch.int64, "labels must be int64", self.y.dtype, "Call .long(); never one-hot."
        )
        check_labels(self.y, len(self.classes))
        if self.groups is not None:
            fits = self.groups.shape == self.y.shape and self.groups.dtype == torch.int64
            require(
                fits, "groups must hold one int64 an image", (tuple(self.groups.shape), self.groups.dtype)
            )

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Tensor | slice) -> Samples:
        groups = None if self.groups is None else self.groups[index]
        return replace(self, x=self.x[index], y=self.y[index], groups=groups)

    def __add__(self, other: Samples) -> Samples:
        require(
            self.classes == other.classes,
            "samples that are added must have the same classes",
            (self.classes, other.classes),
        )
        require(
            self.x.shape[1:] == other.x.shape[1:],
            "images that are added must have the same shape",
            (self.x.shape, other.x.shape),
        )
        groups = (
            None if self.groups is None or other.groups is None else torch.cat([self.groups, other.groups])
        )
        return replace(self, x=torch.cat([self.x, other.x]), y=torch.cat([self.y, other.y]), groups=groups)

    def __repr__(self) -> str:
        return f"Samples({len(self):,} images {tuple(self.x.shape[1:])}, {len(self.classes)} classes)"

    def to(self, device: torch.device | str) -> Samples:
        """Return the samples on `device`; training then runs there, with the data resident on it."""
        groups = None if self.groups is None else self.groups.to(device)
        return replace(self, x=self.x.to(device), y=self.y.to(device), groups=groups)

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (x, y) of up to `size` samples, shuffled when a generator is given; the order is the same on
        every device.
        """
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
    """Draw disjoint sets of the given sizes, each with the classes in (nearly) the same proportions as
    `samples`.

    Samples with groups are split between groups: no two sets share one, sizes are off by at most a group,
    classes by little more.
    """
    require(all(size > 0 for size in sizes), "sizes must be positive", sizes)
    require(sum(sizes) <= len(samples), f"sizes must add up to at most {len(samples)}", sizes)
    device = samples.y.device
    every = torch.arange(len(samples), device=device)
    group, count = (every if samples.groups is None else samples.groups).unique(
        return_inverse=True, return_counts=True
    )[1:]
    # of a group
    label = torch.zeros_like(count).scatter_reduce(0, group, samples.y, "amin", include_self=False)
    order = torch.randperm(len(count), generator=torch.Generator().manual_seed(seed)).to(device)
    # of a group's middle within its class, in (0, 1)
    place = torch.empty(len(count), dtype=torch.float64, device=device)
    for each in label.unique():
        members = order[label[order] == each]
        ends = count[members].cumsum(0)
        place[members] = (ends - count[members] / 2).double() / ends[-1]
    ranked = order[place[order].argsort(stable=True)]  # every run of it holds the classes in proportion
    ends = torch.cat([count.new_zeros(1), count[ranked].cumsum(0)])  # of groups, where sets may end
    aims = torch.tensor([sum(sizes[:i]) for i in range(len(sizes) + 1)], device=device)
    bounds = ends[[int((ends - aim).abs().argmin()) for aim in aims]].tolist()
    sets = [stop - start for start, stop in pairwise(bounds)]
    require(
        all(sets),
        "sizes must leave room for a whole group in each set",
        sizes,
        f"Groups hold {count.double().mean():.0f} images on average.",
    )
    images = ranked.argsort()[group].argsort(stable=True)  # by the rank of their group
    return tuple(samples[images[start:stop]] for start, stop in pairwise(bounds))


def regroup(samples: Samples, kinds: Mapping[str, str]) -> Samples:
    """Merge classes: `kinds` names the new class of an old one; images of classes that it leaves out are left
    out.

    The new classes come in the order in which `kinds` first names them.
    """
    require(
        len(kinds) > 0,
        "kinds must not be empty",
        dict(kinds),
        "Map the name of a class to the name of its kind.",
    )
    unknown = [name for name in kinds if name not in samples.classes]
    require(not unknown, f"kinds must map classes, which are {', '.join(samples.classes)}", unknown)
    names = tuple(dict.fromkeys(kinds.values()))
    table = samples.y.new_tensor(
        [names.index(kinds[name]) if name in kinds else -1 for name in samples.classes]
    )
    y = table[samples.y]  # (N,)
    kept = y >= 0
    return replace(samples[kept], y=y[kept], classes=names)


def one_each(samples: Samples) -> Samples:
    """Return the first image of each class, in the order of the classes."""
    first = [int((samples.y == label).nonzero()[0]) for label in range(len(samples.classes))]
    return samples[samples.y.new_tensor(first)]


def check_images(x: Tensor) -> None:
    """Raise `ArgumentError` unless `x` is (N, C, H, W) float32 in [0, 1]."""
    require(
        x.ndim == 4,
        "images must have shape (N, C, H, W)",
        tuple(x.shape),
        "Add the missing axes with unsqueeze.",
    )
    require(
        x.dtype == torch.float32,
        "images must be float32 in [0, 1]",
        x.dtype,
        "Divide uint8 images by 255; normalise inside the model.",
    )
    if x.numel():
        low, high = (bound.item() for bound in x.aminmax())
        require(low == low and high == high, "images must not hold NaN", "NaN", "Find them with x.isnan().")
        require(
            low >= 0 and high <= 1,
            "images must lie in [0, 1]",
            (low, high),
            "Divide by 255, or clamp; normalise inside the model.",
        )


def check_labels(y: Tensor, classes: int) -> None:
    """Raise `ArgumentError` unless every label is one of `classes`."""
    if len(y):
        low, high = (int(bound) for bound in y.aminmax())
        fix = "Count classes from 0, and name each in `classes`."
        require(low >= 0 and high < classes, f"labels must lie in 0..{classes - 1}", (low, high), fix)
