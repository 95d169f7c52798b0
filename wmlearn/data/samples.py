"""A data set is two tensors and a tuple of class names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from ..errors import require


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs, their labels, and the names of the classes.

    Inputs are images, sounds, texts or rows of a table; `kind_of` tells which. `groups`, if known, numbers
    the thing that each shows, as a sign or a speaker: inputs of one thing are no independent evidence.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> samples
    Samples(40 images (1, 4, 4), 2 classes)
    >>> samples[samples.y == 1]
    Samples(20 images (1, 4, 4), 2 classes)
    """

    x: Tensor  # (N, C, H, W), (N, 1, 1, T) or (N, F) float32 in [0, 1], or (N, L) int64
    y: Tensor  # (N,) int64
    classes: tuple[str, ...]
    groups: Tensor | None = None  # (N,) int64

    def __post_init__(self) -> None:
        check_inputs(self.x)
        fits = self.y.ndim == 1 and len(self.y) == len(self.x)
        require(fits, "y must hold one label an input", tuple(self.y.shape))
        fix = "Call .long(); never one-hot."
        require(self.y.dtype == torch.int64, "labels must be int64", self.y.dtype, fix)
        check_labels(self.y, len(self.classes))
        if self.groups is not None:
            fits = self.groups.shape == self.y.shape and self.groups.dtype == torch.int64
            got = (tuple(self.groups.shape), self.groups.dtype)
            require(fits, "groups must hold one int64 an input", got)

    @classmethod
    def of(
        cls, data: Any, *, classes: Sequence[str] | None = None, limit: int | None = None, seed: int = 0
    ) -> Samples:
        """Gather a data set of torchvision's or PyTorch's, an `ImageFolder`, a `DataLoader`, or one of
        Hugging Face's `datasets`.

        Pictures and uint8 images come to [0, 1]; all must have one shape. `classes` names the classes where
        the data set doesn't. `limit` is the most images to take: of a data set at random by `seed`, of a
        loader the first ones; without it, more than 4 GiB of images are refused. Raises `ArgumentError` for
        an item that isn't an image with its label.
        """
        from .datasets import gathered  # here, because it makes samples

        return gathered(data, classes=classes, limit=limit, seed=seed)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Tensor | slice) -> Samples:
        groups = None if self.groups is None else self.groups[index]
        return replace(self, x=self.x[index], y=self.y[index], groups=groups)

    def __add__(self, other: Samples) -> Samples:
        both = (self.classes, other.classes)
        require(self.classes == other.classes, "samples that are added must have the same classes", both)
        same = self.x.shape[1:] == other.x.shape[1:] and self.x.dtype == other.x.dtype
        got = [(tuple(part.x.shape), part.x.dtype) for part in (self, other)]
        require(same, "inputs that are added must have the same shape and type", got)
        groups = None
        if self.groups is not None and other.groups is not None:
            groups = torch.cat([self.groups, other.groups])
        return replace(self, x=torch.cat([self.x, other.x]), y=torch.cat([self.y, other.y]), groups=groups)

    def __repr__(self) -> str:
        kind = kind_of(self.x)
        return f"Samples({len(self):,} {kind} {tuple(self.x.shape[1:])}, {len(self.classes)} classes)"

    def to(self, device: torch.device | str) -> Samples:
        """Return the samples on `device`; training then runs there, with the data resident on it."""
        groups = None if self.groups is None else self.groups.to(device)
        return replace(self, x=self.x.to(device), y=self.y.to(device), groups=groups)

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (x, y) of up to `size` samples, shuffled when a generator is given."""
        # drawn on the CPU, so that the order is the same on every device
        order = torch.randperm(len(self), generator=generator) if generator else torch.arange(len(self))
        for index in order.to(self.x.device).split(size):
            yield self.x[index], self.y[index]


@dataclass(frozen=True, eq=False)
class Splits:
    """What a network learns from, and what it has never seen.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> wm.Splits(samples[:30], samples[30:]).test
    Samples(10 images (1, 4, 4), 2 classes)
    """

    train: Samples
    test: Samples

    def to(self, device: torch.device | str) -> Splits:
        """Return both on `device`."""
        return Splits(self.train.to(device), self.test.to(device))


def split(samples: Samples, *sizes: int, seed: int = 0) -> tuple[Samples, ...]:
    """Draw disjoint sets of the given sizes, each with the classes in nearly the proportions of `samples`.

    Samples with groups are split between groups: no two sets share one, sizes are off by at most a group,
    classes by little more.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> train, test = wm.split(samples, 30, 10)
    >>> test.y.bincount()
    tensor([5, 5])
    """
    return tuple(samples[images] for images in split_places(samples, *sizes, seed=seed))


def split_places(samples: Samples, *sizes: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Return which of the samples each set of `split` holds, (size,) int64, in its order."""
    require(all(size > 0 for size in sizes), "sizes must be positive", sizes)
    require(sum(sizes) <= len(samples), f"sizes must add up to at most {len(samples)}", sizes)
    device = samples.y.device
    sole = torch.arange(len(samples), device=device)  # without groups, each image is one of its own
    groups = sole if samples.groups is None else samples.groups
    # G groups: the number of each image's, (N,) in 0..G-1, and how many images each holds, (G,)
    _, group, count = groups.unique(return_inverse=True, return_counts=True)
    ranked = _mixed(group, count, samples.y, seed)  # (G,) the groups in an order that mixes the classes
    bounds = _bounds(count[ranked], sizes)
    lengths = [stop - start for start, stop in pairwise(bounds)]
    rule = "sizes must leave room for a whole group in each set"
    fix = f"Groups hold {count.double().mean():.0f} images on average."
    require(all(lengths), rule, sizes, fix)
    # the images, by the rank of their group; stable, so that each group's stay in their order
    images = ranked.argsort()[group].argsort(stable=True)  # (N,)
    return tuple(images[start:stop] for start, stop in pairwise(bounds))


def _mixed(group: Tensor, count: Tensor, y: Tensor, seed: int) -> Tensor:
    """Order G groups by lot, but so that every run of them holds the classes in proportion, (G,).

    `group` (N,) is each image's, `count` (G,) the size of each, `y` (N,) the labels of the images.
    """
    # the class of a group: the lowest label in it, where it holds several
    label = torch.zeros_like(count).scatter_reduce(0, group, y, "amin", include_self=False)  # (G,)
    order = torch.randperm(len(count), generator=torch.Generator().manual_seed(seed)).to(y.device)
    # each class is spread evenly from 0 to 1, group after group by lot; a group lies where its middle does
    place = torch.empty(len(count), dtype=torch.float64, device=y.device)  # (G,)
    for name in label.unique():
        members = order[label[order] == name]
        ends = count[members].cumsum(0)
        place[members] = (ends - count[members] / 2).double() / ends[-1]
    return order[place[order].argsort(stable=True)]


def _bounds(count: Tensor, sizes: Sequence[int]) -> list[int]:
    """Say between which images to cut, so that sets end with a group and come near to `sizes`.

    `count` (G,) is how many images each group holds. Returns one bound more than there are sizes.
    """
    ends = torch.cat([count.new_zeros(1), count.cumsum(0)])  # (G + 1,) where sets may end
    bounds = []
    for i in range(len(sizes) + 1):
        wanted = sum(sizes[:i])
        nearest = (ends - wanted).abs().argmin()
        bounds.append(int(ends[nearest]))
    return bounds


def regroup(samples: Samples, kinds: Mapping[str, str]) -> Samples:
    """Merge classes: `kinds` names the new class of an old one; images of classes that it leaves out go.

    The new classes come in the order in which `kinds` first names them.
    """
    fix = "Map the name of a class to the name of its kind."
    require(len(kinds) > 0, "kinds must not be empty", dict(kinds), fix)
    unknown = [name for name in kinds if name not in samples.classes]
    require(not unknown, f"kinds must map classes, which are {', '.join(samples.classes)}", unknown)
    names = tuple(dict.fromkeys(kinds.values()))
    numbers = [names.index(kinds[name]) if name in kinds else -1 for name in samples.classes]
    y = samples.y.new_tensor(numbers)[samples.y]  # (N,)
    kept = y >= 0
    return replace(samples[kept], y=y[kept], classes=names)


def one_each(samples: Samples) -> Samples:
    """Return the first image of each class, in the order of the classes."""
    first = [int((samples.y == label).nonzero()[0]) for label in range(len(samples.classes))]
    return samples[samples.y.new_tensor(first)]


Kind = Literal["images", "sounds", "rows", "texts"]


def kind_of(x: Tensor) -> Kind:
    """Tell by shape and type what `x` holds.

    Whole numbers (N, L) are texts, as token ids; other numbers (N, F) rows of a table; (N, 1, 1, T) sounds,
    T samples each; all else images (N, C, H, W).

    >>> wm.data.kind_of(torch.tensor([[5, 3, 0, 0]]))
    'texts'
    """
    if x.ndim == 2:
        return "rows" if x.is_floating_point() else "texts"
    return "sounds" if x.ndim == 4 and x.shape[1:3] == (1, 1) and x.shape[3] > 1 else "images"


def check_inputs(x: Tensor) -> None:
    """Raise `ArgumentError` unless `x` is images (N, C, H, W), sounds (N, 1, 1, T) or rows (N, F), float32 in
    [0, 1], or texts (N, L), int64 and none below 0.
    """
    kind = kind_of(x)
    if kind == "texts":
        require(x.dtype == torch.int64, "token ids must be int64", x.dtype, "Call .long().")
        low = int(x.min()) if x.numel() else 0
        require(low >= 0, "token ids must not be negative", low, "0 pads, 1 stands for an unknown word.")
        return
    if kind == "images":
        fix = "Add the missing axes with unsqueeze."
        require(x.ndim == 4, "images must have shape (N, C, H, W)", tuple(x.shape), fix)
    fix = "Divide uint8 images by 255; normalise inside the model."
    require(x.dtype == torch.float32, f"{kind} must be float32 in [0, 1]", x.dtype, fix)
    if x.numel():
        low, high = (bound.item() for bound in x.aminmax())
        # NaN is the one number that differs from itself
        require(low == low and high == high, f"{kind} must not hold NaN", "NaN", "Find them with x.isnan().")
        fix = "Divide by 255, or clamp; normalise inside the model."
        require(low >= 0 and high <= 1, f"{kind} must lie in [0, 1]", (low, high), fix)


def require_images(x: Tensor, who: str, fix: str = "") -> None:
    """Raise `ArgumentError`, in the name of `who`, where `x` holds sounds, texts or rows of a table."""
    kind = kind_of(x)
    fix = fix or f"Pixels have neighbours above and below; {kind} don't."
    require(kind == "images", f"{who} takes images (N, C, H, W)", f"{kind} {tuple(x.shape)}", fix)


def require_numbers(x: Tensor, who: str) -> None:
    """Raise `ArgumentError`, in the name of `who`, where `x` holds texts: between two words lies no third."""
    kind = kind_of(x)
    fix = "Token ids are names: they have no sum and no mean."
    require(kind != "texts", f"{who} takes numbers in [0, 1]", f"{kind} {tuple(x.shape)}", fix)


def check_labels(y: Tensor, classes: int) -> None:
    """Raise `ArgumentError` unless every label is one of `classes`."""
    if len(y):
        low, high = (int(bound) for bound in y.aminmax())
        fix = "Count classes from 0, and name each in `classes`."
        require(low >= 0 and high < classes, f"labels must lie in 0..{classes - 1}", (low, high), fix)
