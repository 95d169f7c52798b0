"""Other people's data sets as samples: torchvision's, folders of pictures, loaders, Hugging Face's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from .. import progress
from ..errors import require
from .samples import Samples

LARGEST = 4 * 2**30
"""Bytes of images that are gathered without a `limit`."""
MOST_CLASSES = 100_000
"""A label above names no class: each gets a name."""
IMAGES = ("image", "img", "pixel_values", "x")
LABELS = ("label", "labels", "fine_label", "y")
"""What data sets whose items are mappings call the image and the label, the commonest first."""

Item = tuple[Tensor, int]


def gathered(
    data: Any, *, classes: Sequence[str] | None = None, limit: int | None = None, seed: int = 0
) -> Samples:
    """Gather a data set or a loader into tensors: see `Samples.of`."""
    require(limit is None or limit >= 1, "limit must be at least 1", limit)
    names = _classes(data) if classes is None else tuple(map(str, classes))
    count = _count(data, limit)
    if isinstance(data, DataLoader) or not hasattr(data, "__getitem__"):
        items = islice(_from_batches(data), count)
    else:
        items = (_item(data[i]) for i in chosen(len(data), count, seed))
    return _stacked(items, names, count, limit)


def _count(data: Any, limit: int | None) -> int | None:
    """Return how many images will be gathered; None where the data can't say."""
    total = len(data) if hasattr(data, "__len__") else None
    if isinstance(data, DataLoader):  # its length is in batches
        total = len(data.dataset) if hasattr(data.dataset, "__len__") else None  # pyrefly: ignore[bad-argument-type]
    if total is None:
        return limit
    require(total > 0, "the data set must not be empty", total)
    return total if limit is None else min(total, limit)


def chosen(total: int, limit: int | None, seed: int) -> list[int]:
    """Return which items to read: all in their order, or as many as wanted at random, in their order."""
    if limit is None or limit >= total:
        return list(range(total))
    order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    return sorted(order[:limit].tolist())


def _from_batches(data: Iterable[Any]) -> Iterator[Item]:
    """Take apart what a loader yields: batches (N, C, H, W) and their labels, or single items."""
    for batch in data:
        image, label = _pair(batch)
        if isinstance(image, Tensor) and image.ndim == 4:
            for x, y in zip(image, torch.as_tensor(label), strict=True):
                yield _image(x), _label(y)
        else:
            yield _image(image), _label(label)


def _item(item: Any) -> Item:
    image, label = _pair(item)
    return _image(image), _label(label)


def _pair(item: Any) -> tuple[Any, Any]:
    """Return the image and the label of an item: a pair, or a mapping with names for both."""
    if isinstance(item, Mapping):
        image = next((name for name in IMAGES if name in item), None)
        label = next((name for name in LABELS if name in item), None)
        rule = f"an item must name its image ({', '.join(IMAGES)}) and its label ({', '.join(LABELS)})"
        require(image is not None and label is not None, rule, sorted(map(str, item)), "Rename the columns.")
        return item[image], item[label]
    parts = list(item) if isinstance(item, (tuple, list)) else []
    rule = "an item must be an image and its label"
    fix = "Wrap the data set so that data[i] is (image, label)."
    require(len(parts) >= 2, rule, type(item).__name__, fix)
    return parts[0], parts[1]


def _image(image: Any) -> Tensor:
    """Return one image as (C, H, W) float32 in [0, 1]: from a picture, an array (H, W, C), or a tensor."""
    from PIL.Image import Image

    if isinstance(image, Image):
        mode = "L" if image.mode in ("1", "L") else "RGB"
        image = np.asarray(image.convert(mode))
    if isinstance(image, np.ndarray):
        image = torch.from_numpy(image.copy())
        image = image.permute(2, 0, 1) if image.ndim == 3 else image  # arrays hold the channels last
    rule = "an image must be a picture, an array (H, W, C) or a tensor (C, H, W)"
    require(isinstance(image, Tensor), rule, type(image).__name__)
    image = image.unsqueeze(0) if image.ndim == 2 else image
    require(image.ndim == 3, rule, tuple(image.shape))
    return image.float() / 255 if image.dtype == torch.uint8 else image.detach().float()


def _label(label: Any) -> int:
    is_whole = isinstance(label, (int, np.integer)) or (
        isinstance(label, Tensor) and label.ndim == 0 and not label.is_floating_point()
    )
    fix = "Give a class index from 0; one-hot labels become one by argmax."
    require(is_whole and not isinstance(label, bool), "a label must be one whole number", label, fix)
    rule = f"a label must be below {MOST_CLASSES:,}"
    require(int(label) < MOST_CLASSES, rule, int(label), "Count classes from 0.")
    return int(label)


def _stacked(
    items: Iterator[Item], names: tuple[str, ...] | None, count: int | None, limit: int | None
) -> Samples:
    """Put items one by one where they will stay, so that no second copy of the images is made."""
    x: Tensor | None = None
    images: list[Tensor] = []  # only where nobody knows how many come
    labels: list[int] = []
    shape: torch.Size | None = None
    for image, label in progress.each(items, "images", count or 0):
        shape = shape or image.shape
        fix = "Resize them first: transform=torchvision.transforms.v2.Resize((32, 32))."
        require(
            image.shape == shape, f"images must all have one shape, here {tuple(shape)}", image.shape, fix
        )
        if x is None and count is not None:
            _check_size(count, image, limit)
            x = torch.empty(count, *shape)
        if x is None:
            images.append(image)
            _check_size(len(images), image, limit)
        else:
            x[len(labels)] = image
        labels.append(label)
    require(len(labels) > 0, "the data set must not be empty", 0)
    y = torch.tensor(labels)
    x = torch.stack(images) if x is None else x[: len(labels)]
    return Samples(x, y, names or tuple(map(str, range(int(y.max()) + 1))))


def _check_size(count: int, image: Tensor, limit: int | None) -> None:
    size = count * image.numel() * 4  # float32
    rule = f"images without a limit must fit into {LARGEST / 2**30:.0f} GiB"
    fix = "Pass limit=20_000, or smaller images."
    require(limit is not None or size <= LARGEST, rule, f"{size / 2**30:.1f} GiB", fix)


def _classes(data: Any) -> tuple[str, ...] | None:
    """Return the names of the classes where the data set knows them."""
    inner = data
    for name in ("dataset", "dataset"):  # a loader of a subset of a data set
        inner = inner if hasattr(inner, "classes") else getattr(inner, name, inner)
    if hasattr(inner, "classes"):
        return tuple(map(str, inner.classes))
    features = getattr(data, "features", None)  # Hugging Face's
    if isinstance(features, Mapping):
        label = next((features[name] for name in LABELS if name in features), None)
        return tuple(label.names) if hasattr(label, "names") else None
    return None
