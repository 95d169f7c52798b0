"""Inputs as NumPy's arrays in one .npz file, read row by row: never unpickled, never larger than memory.

Inputs are `x`, or `x_train` and `x_test` as in Keras' mnist.npz, or `train_images` and `test_images` as in
MedMNIST; labels are called likewise.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, WmlearnError, require
from .datasets import LARGEST, MOST_CLASSES, chosen
from .samples import Samples

IMAGES = {"train": ("x", "x_train", "train_images", "images"), "test": ("x_test", "test_images")}
LABELS = {"train": ("y", "y_train", "train_labels", "labels"), "test": ("y_test", "test_labels")}
"""What the arrays of a part may be called."""
DAMAGES = (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
"""What Python raises for an archive that is none, encrypted, cut off, or of numbers that aren't any."""
SHAPES = "(N, H, W), (N, C, H, W) or (N, H, W, C) with one or three channels"


@dataclass(frozen=True)
class _Header:
    """What an array is like: its shape, its kind of number, and whether columns come first."""

    shape: tuple[int, ...]
    kind: np.dtype[Any]
    by_column: bool


@dataclass(frozen=True, eq=False)
class Arrays:
    """Images of an archive, of which part, and how many that part holds."""

    samples: Samples
    part: str
    total: int


def read_arrays(
    file: Path | str, *, part: str = "train", limit: int | None = None, labelled: bool = True, seed: int = 0
) -> Arrays:
    """Read an .npz file of images (N, C, H, W), (N, H, W) or (N, H, W, C), uint8 or floats in [0, 1], rows of
    a table (N, F), floats in [0, 1], or texts (N, L), signed whole numbers, with labels (N,), and where they
    are there names of `classes`.

    `part` is "train", or "test", which is taken where it is there. `limit` is the most images to read, drawn
    by `seed`. Without `labelled`, all get the label 0. Nothing is unpickled. Raises `DataError` for a file
    that is missing, damaged, or holds anything else.
    """
    path = Path(file).expanduser()
    require(part in IMAGES, f"part must be one of {', '.join(IMAGES)}", part)
    require(limit is None or limit >= 1, "limit must be at least 1", limit)
    if not path.is_file():  # a pipe would be waited for forever
        got = "something else" if path.exists() else "nothing"
        raise DataError(f"{path} must be an .npz file of arrays, got {got}. Check the name.")
    try:
        with zipfile.ZipFile(path) as archive:
            return _Archive(path, archive).samples(part, limit, labelled, seed)
    except WmlearnError:
        raise
    except DAMAGES as error:
        why = str(error).split(". ")[0][:200]
        fix = "Write it with numpy.savez."
        raise DataError(f"{path} must be a whole .npz file, got: {why}. {fix}") from error


@dataclass(frozen=True, eq=False)
class _Archive:
    """An open archive; each array is a file in it."""

    path: Path
    archive: zipfile.ZipFile

    def samples(self, part: str, limit: int | None, labelled: bool, seed: int) -> Arrays:
        """Read the images of a part, at most `limit`."""
        part = part if self._find(IMAGES[part]) else "train"
        name = self._name(IMAGES[part])
        total = self._shape(name)[0]
        rows = chosen(total, limit, seed)
        x = self._images(name, rows)
        if not labelled:
            return Arrays(Samples(x, torch.zeros(len(x), dtype=torch.int64), ("?",)), part, total)
        y = self._labels(self._name(LABELS[part]))
        others = self._find(LABELS["test" if part == "train" else "train"])
        both = torch.cat([y, self._labels(others)]) if others else y
        self._check(len(y) == total, f"one label for each of {total:,} images", f"{len(y):,}")
        return Arrays(Samples(x, y[torch.tensor(rows)], self._classes(both)), part, total)

    def _images(self, name: str, rows: Sequence[int]) -> Tensor:
        """Read some rows of an array as images (n, C, H, W) float32, or as texts or rows of a table."""
        array = torch.from_numpy(self._rows(name, rows))
        if array.ndim == 2:
            return array.float() if array.is_floating_point() else array.long()
        if array.ndim == 3:
            array = array.unsqueeze(1)
        elif array.shape[1] not in (1, 3):
            array = array.permute(0, 3, 1, 2)
        return array.float() / 255 if array.dtype == torch.uint8 else array.float()

    def _shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array of images, once it is known to be one."""
        head = self._head(name)
        shape = head.shape
        kind = head.kind
        fits = len(shape) == 3 or (len(shape) == 4 and bool({shape[1], shape[3]} & {1, 3}))
        if len(shape) == 2 and 0 not in shape:
            rule = f"rows (N, F) as floats or texts (N, L) as signed whole numbers in {name}"
            self._check(kind.kind in "fi", rule, _said(kind))
            return shape
        self._check(fits and 0 not in shape, f"images {SHAPES} in {name}", f"{shape}")
        self._check(kind == np.uint8 or kind.kind == "f", f"uint8 or float images in {name}", _said(kind))
        return shape

    def _labels(self, name: str) -> Tensor:
        """Read an array of labels (N,)."""
        head = self._head(name)
        shape = head.shape
        kind = head.kind
        fits = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
        fits = fits and kind.kind in "iu"
        self._check(fits, f"one whole number an image in {name}, no one-hot rows", f"{_said(kind)} {shape}")
        array = self._rows(name, range(shape[0])).ravel()
        low, high = (int(array.min()), int(array.max())) if len(array) else (0, 0)
        fits = low >= 0 and high < MOST_CLASSES
        self._check(fits, f"labels from 0 to {MOST_CLASSES - 1:,} in {name}", f"{low} to {high}")
        return torch.from_numpy(array.astype(np.int64))

    def _classes(self, y: Tensor) -> tuple[str, ...]:
        """Name the classes: as the array `classes` does, or by their numbers."""
        count = int(y.max()) + 1
        if not self._find(("classes",)):
            return tuple(map(str, range(count)))
        head = self._head("classes")
        shape = head.shape
        kind = head.kind
        fits = len(shape) == 1 and kind.kind == "U" and count <= shape[0] < MOST_CLASSES
        self._check(fits, f"a text for each of {count} classes in classes", f"{_said(kind)} {shape}")
        return tuple(self._rows("classes", range(shape[0])).tolist())

    def _rows(self, name: str, rows: Sequence[int]) -> np.ndarray:
        """Read some rows of an array, in their order, without the others."""
        with self.archive.open(f"{name}.npy") as file:
            head = _header(file)
            shape = head.shape
            kind = head.kind
            size = math.prod(shape[1:]) * kind.itemsize
            needs = len(rows) * max(size, 4 * math.prod(shape[1:]))
            most = f"arrays that fit into {LARGEST / 2**30:.0f} GiB"
            fix = "Read fewer images (--limit), or store smaller ones."
            self._check(needs <= LARGEST, most, f"{needs / 2**30:.1f} GiB of {name}", fix)
            self._check(not head.by_column or len(shape) == 1, "arrays in C order", f"Fortran's in {name}")
            start = file.tell()
            raw = bytearray()
            for first, stop in _runs(rows):
                file.seek(start + first * size)
                raw += file.read((stop - first) * size)
        self._check(len(raw) == len(rows) * size, "whole arrays", f"an early end of {name}")
        return np.frombuffer(raw, kind).reshape(len(rows), *shape[1:]).astype(kind.newbyteorder("="))

    def _head(self, name: str) -> _Header:
        with self.archive.open(f"{name}.npy") as file:
            return _header(file)

    def _find(self, names: Sequence[str]) -> str | None:
        """Return the first of the names that an array has."""
        there = set(self.archive.namelist())
        return next((name for name in names if f"{name}.npy" in there), None)

    def _name(self, names: Sequence[str]) -> str:
        name = self._find(names)
        there = [entry.removesuffix(".npy") for entry in self.archive.namelist()]
        self._check(name is not None, f"an array {' or '.join(names)}", f"{', '.join(there[:20]) or 'none'}")
        assert name is not None
        return name

    def _check(self, fits: bool, rule: str, got: str, fix: str = "") -> None:
        if not fits:
            raise DataError(f"{self.path} must hold {rule}, got {got}.{fix and ' '}{fix}")


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where rows that follow each other begin and end."""
    if isinstance(rows, range) or len(rows) == 0:
        yield 0, len(rows)
        return
    first = rows[0]
    for row, later in pairwise(rows):
        if later != row + 1:
            yield first, row + 1
            first = later
    yield first, rows[-1] + 1


def _header(file: IO[bytes]) -> _Header:
    """Read what stands before the numbers of an array; raise `ValueError` for pickled objects."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"an array of version {version}")
    shape, by_column, kind = readers[version](file)
    if kind.hasobject:
        raise ValueError("an array of Python objects, which is a pickle: opening one can run any code")
    return _Header(shape, kind, by_column)


def _said(kind: np.dtype[Any]) -> str:
    return str(kind)[:50]
