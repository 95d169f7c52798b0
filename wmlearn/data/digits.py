"""MNIST, which ships with the course, and Fashion-MNIST, which torchvision fetches.

MNIST: Y. LeCun, C. Cortes, C. Burges. Fashion-MNIST: H. Xiao, K. Rasul, R. Vollgraf, 2017, arXiv:1708.07747.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ArgumentError, DataError
from . import files
from .samples import Samples, Splits

DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
SIZES = {"train": 60_000, "t10k": 10_000}


def load_mnist(root: Path | None, download: bool) -> Splits:
    """Load all 70,000 digits from the files that ship with the course, or from four IDX files in `root`."""
    del download  # nothing to fetch: the digits are here
    if root is not None:
        return _from_folder(root, DIGITS)
    contents = {
        name: (files.ROOT / "mnist" / f"{name}.gz", files.shipped(f"mnist/{name}.gz")) for name in _names()
    }
    return _splits(contents, DIGITS, files.REMEDY)


def load_fashion_mnist(root: Path | None, download: bool) -> Splits:
    """Load 70,000 garments from `root` (four IDX files, or torchvision's layout); the default is a cache
    folder, filled on first use.
    """
    if root is not None:
        return _from_folder(root, GARMENTS)
    folder = files.CACHE / "fashion-mnist"
    if not folder.exists():
        if not download:
            raise DataError(
                f"{folder} must hold Fashion-MNIST, got nothing. Run `wmlearn data fetch fashion-mnist`, or"
                " pass root=."
            )
        _fetch(folder)
    return _from_folder(folder, GARMENTS, f"Delete {folder} and fetch it again.")


def _fetch(folder: Path) -> None:
    """Download beside `folder`, then rename: an interrupted download leaves nothing, and of two at once the
    first one stays.
    """
    from torchvision.datasets import FashionMNIST

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            FashionMNIST(temporary, download=True)
            raw = Path(temporary) / "FashionMNIST" / "raw"
            for name in _names():
                (raw / name).unlink()  # keep the compressed files only
            raw.replace(folder)  # fails when another process was faster
    except (OSError, RuntimeError) as error:
        if not folder.exists():
            raise DataError(
                f"Fashion-MNIST must arrive in {folder}, got: {error}. Try again with a network and space, or"
                " pass root=."
            ) from error


def _from_folder(folder: Path, classes: tuple[str, ...], fix: str = "Fetch it again.") -> Splits:
    places = (folder, folder / "FashionMNIST" / "raw", folder / "MNIST" / "raw")
    found = {
        name: path
        for name in _names()
        for place in places
        for path in (place / name, place / f"{name}.gz")
        if path.is_file()
    }
    missing = [name for name in _names() if name not in found]
    if missing:
        raise ArgumentError(
            f"{folder} must hold four IDX files, plain or .gz, got none named {', '.join(missing)}. {fix}"
        )
    return _splits({name: (path, path.read_bytes()) for name, path in found.items()}, classes, fix)


def _splits(contents: dict[str, tuple[Path, bytes]], classes: tuple[str, ...], fix: str) -> Splits:
    parts = {}
    for part, size in SIZES.items():
        images = _idx(*contents[f"{part}-images-idx3-ubyte"], (size, 28, 28), fix)
        labels = _idx(*contents[f"{part}-labels-idx1-ubyte"], (size,), fix)
        parts[part] = Samples(images.unsqueeze(1).float().div_(255), labels.long(), classes)  # (N, 1, 28, 28)
    return Splits(parts["train"], parts["t10k"])


def _idx(path: Path, raw: bytes, shape: tuple[int, ...], fix: str) -> Tensor:
    """Read an IDX file: two zero bytes, the type (8 is uint8), the rank, the sizes as big-endian int32, then
    the values.
    """
    try:
        plain = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} must be a whole gzip file, got: {error}. {fix}") from error
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">i4").tobytes()
    if not plain.startswith(header) or len(plain) != len(header) + int(np.prod(shape)):
        raise DataError(
            f"{path} must be an IDX file of shape {shape}, got {len(plain):,} bytes that aren't. {fix}"
        )
    return torch.frombuffer(bytearray(plain), dtype=torch.uint8, offset=len(header)).view(shape)


def _names() -> list[str]:
    return [f"{part}-{kind}-ubyte" for part in SIZES for kind in ("images-idx3", "labels-idx1")]


def as_mnist(pixels: Tensor) -> Tensor:
    """Centre and scale ink (28, 28) as MNIST's makers did, (1, 1, 28, 28): in a 20 x 20 box, centre of mass
    at (14, 14).
    """
    rows, columns = (pixels.sum(axis).nonzero().flatten() for axis in (1, 0))
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = 20 / max(cut.shape)
    height, width = (max(1, round(side * factor)) for side in cut.shape)
    small = F.interpolate(cut[None, None], (height, width), mode="bilinear", antialias=True)[0, 0]
    mass = small.sum()
    middle = [
        float((small.sum(1 - axis) * torch.arange(n)).sum() / mass) for axis, n in ((0, height), (1, width))
    ]
    top, left = (min(max(round(14 - m), 0), 28 - n) for m, n in zip(middle, (height, width), strict=True))
    out = torch.zeros(1, 1, 28, 28)
    out[0, 0, top : top + height, left : left + width] = small
    return out.clamp(0, 1)
