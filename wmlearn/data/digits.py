"""MNIST, which ships with the course, and Fashion-MNIST, which torchvision fetches.

MNIST: Y. LeCun, C. Cortes, C. Burges. Fashion-MNIST: H. Xiao, K. Rasul, R. Vollgraf, 2017, arXiv:1708.07747.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ArgumentError, DataError, require_torchvision
from . import files
from .samples import Samples, Splits

DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
SIZES = {"train": 60_000, "t10k": 10_000}


def load_mnist(root: Path | None, download: bool) -> Splits:
    """Load all 70,000 digits from the files that ship with the course, or from four IDX files in `root`."""
    del download  # nothing to fetch: the digits are here
    if root is not None:
        return _from_folder(root, DIGITS)
    contents = {name: _read_shipped(f"mnist/{name}.gz") for name in _names()}
    return _splits(contents, DIGITS, files.REMEDY)


def _read_shipped(name: str) -> tuple[Path, bytes]:
    return files.ROOT / name, files.shipped(name)


def load_fashion_mnist(root: Path | None, download: bool) -> Splits:
    """Load 70,000 garments from `root` (four IDX files, or torchvision's layout).

    The default is a cache folder, filled on first use.
    """
    if root is not None:
        return _from_folder(root, GARMENTS)
    folder = files.fetch("fashion-mnist", "Fashion-MNIST", _download, download=download)
    return _from_folder(folder, GARMENTS, f"Delete {folder} and fetch it again.")


def _download(temporary: Path) -> Path:
    require_torchvision("Fetching Fashion-MNIST")
    from torchvision.datasets import FashionMNIST

    FashionMNIST(temporary, download=True)
    raw = temporary / "FashionMNIST" / "raw"
    for name in _names():
        (raw / name).unlink()  # keep the compressed files only
    return raw


def _from_folder(folder: Path, classes: tuple[str, ...], fix: str = "Fetch it again.") -> Splits:
    paths = {name: _path(folder, name) for name in _names()}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        rule = f"{folder} must hold four IDX files, plain or .gz"
        raise ArgumentError(f"{rule}, got none named {', '.join(missing)}. {fix}")
    contents = {name: (path, files.read(path, fix=fix)) for name, path in paths.items() if path is not None}
    return _splits(contents, classes, fix)


def _path(folder: Path, name: str) -> Path | None:
    """Look for a file in `folder` and where torchvision puts it; of several, the last one counts."""
    path = None
    for place in (folder, folder / "FashionMNIST" / "raw", folder / "MNIST" / "raw"):
        for candidate in (place / name, place / f"{name}.gz"):
            if candidate.is_file():
                path = candidate
    return path


def _splits(contents: dict[str, tuple[Path, bytes]], classes: tuple[str, ...], fix: str) -> Splits:
    parts = {}
    for part, size in SIZES.items():
        images = _idx(*contents[f"{part}-images-idx3-ubyte"], (size, 28, 28), fix)
        labels = _idx(*contents[f"{part}-labels-idx1-ubyte"], (size,), fix)
        x = images.unsqueeze(1).float().div_(255)  # (N, 1, 28, 28)
        parts[part] = Samples(x, labels.long(), classes)
    return Splits(parts["train"], parts["t10k"])


def _idx(path: Path, raw: bytes, shape: tuple[int, ...], fix: str) -> Tensor:
    """Read an IDX file of unsigned bytes of the given `shape`; others are refused."""
    # two zeros, the type (8 is uint8), the rank, the sizes as big-endian int32; then come the values
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
    size = len(header) + int(np.prod(shape))
    plain = raw
    if raw[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
                plain = packed.read(size + 1)  # a small file may hold gigabytes
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{path} must be a whole gzip file, got: {error}. {fix}") from error
    if not plain.startswith(header) or len(plain) != size:
        rule = f"{path} must be an IDX file of shape {shape}"
        raise DataError(f"{rule}, got {len(plain):,} bytes that aren't. {fix}")
    return torch.frombuffer(bytearray(plain), dtype=torch.uint8, offset=len(header)).view(shape)


def _names() -> list[str]:
    return [f"{part}-{kind}-ubyte" for part in SIZES for kind in ("images-idx3", "labels-idx1")]


def as_mnist(pixels: Tensor) -> Tensor:
    """Centre and scale ink (28, 28) as MNIST's makers did: in a 20 x 20 box, its centre of mass at (14, 14);
    (1, 1, 28, 28).
    """
    rows, columns = (pixels.sum(axis).nonzero().flatten() for axis in (1, 0))
    ink = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = 20 / max(ink.shape)
    height, width = (max(1, round(side * factor)) for side in ink.shape)
    small = F.interpolate(ink[None, None], (height, width), mode="bilinear", antialias=True)[0, 0]
    top = _start(small.sum(1))
    left = _start(small.sum(0))
    out = torch.zeros(1, 1, 28, 28)
    out[0, 0, top : top + height, left : left + width] = small
    return out.clamp(0, 1)


def _start(ink: Tensor) -> int:
    """Say where `ink` (n,) along one side must begin for its centre of mass to lie at 14 of 28 pixels."""
    middle = float((ink * torch.arange(len(ink))).sum() / ink.sum())
    return min(max(round(14 - middle), 0), 28 - len(ink))
