"""Which part of the data an owner trains on, drawn at random, kept secret, and written down before.

The file holds a salt, so that its hash can be published before the model and gives nothing away.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data import Samples, files, strict_json
from ..errors import DataError, require
from .splits import check_lot

KIND = "lot"
FIELDS = ("kind", "version", "data", "images", "inside", "salt")
VERSION = 1


def draw_lot(samples: Samples, share: float = 0.75, *, seed: int | None = None) -> Tensor:
    """Draw which of the samples (N,) bool to train on: the `share` of each class, at random.

    Without a `seed` the operating system draws one, which nobody knows. Raises `ArgumentError` for a share
    that takes all images, or none.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> lot = wm.evidence.lots.draw_lot(samples)
    >>> samples[lot]
    Samples(30 images (1, 4, 4), 2 classes)
    """
    require(0 < share < 1, "share must lie in (0, 1)", share)
    draw = torch.Generator().manual_seed(secrets.randbits(62) if seed is None else seed)
    lot = torch.zeros(len(samples), dtype=torch.bool)
    labels = samples.y.cpu()
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        order = torch.randperm(len(members), generator=draw)
        lot[members[order[: round(share * len(members))]]] = True
    check_lot(lot, len(samples))
    return lot


def save_lot(lot: Tensor, samples: Samples, path: Path) -> str:
    """Write a new file with the lot, for these samples only, and return its hash, to be published.

    Raises `DataError` where the file is there already.
    """
    check_lot(lot, len(samples))
    content = {
        "kind": KIND,
        "version": VERSION,
        "data": _digest(samples),
        "images": len(samples),
        "inside": _packed(lot).hex(),
        "salt": secrets.token_hex(16),
    }
    raw = json.dumps(content, indent=1).encode() + b"\n"
    files.new(path, lambda new: new.write_bytes(raw))
    return hashlib.sha256(raw).hexdigest()


def load_lot(path: Path, samples: Samples) -> Tensor:
    """Read which of the samples (N,) bool a file says; raise `DataError` for a file that is damaged, or of
    other data.
    """
    fix = "Name the file that `wmlearn ownership lot` wrote."
    raw = files.read(path, most=strict_json.MOST_BYTES, fix=fix)
    try:
        content = strict_json.parsed(raw)
        lot = _read(content)
    except (DataError, ValueError) as error:
        raise DataError(f"{path} must hold a lot, got: {str(error).rstrip('.')}. {fix}") from error
    here = f"{len(samples)} images"
    fix = "Name the data that it was drawn from, in the same order."
    if len(lot) != len(samples):
        raise DataError(f"{path} must fit the data, {here}, got a lot of {len(lot)}. {fix}")
    if content["data"] != _digest(samples):
        raise DataError(f"{path} must fit the data, got a lot of {here} that are others. {fix}")
    check_lot(lot, len(samples))
    return lot


def _read(content: Any) -> Tensor:
    good = isinstance(content, dict) and tuple(content) == FIELDS and content["kind"] == KIND
    require(good, f"it must have the fields {', '.join(FIELDS)}", "others")
    require(content["version"] == VERSION, f"version must be {VERSION}", content["version"])
    n = content["images"]
    require(type(n) is int and 0 < n <= 10**8, "images must be a positive number", n)
    require(isinstance(content["inside"], str), "inside must be a text", type(content["inside"]).__name__)
    raw = bytes.fromhex(content["inside"])
    require(len(raw) == -(-n // 8), f"inside must have a bit for each of {n} images", f"{len(raw)} bytes")
    return _unpacked(raw, n)


def _packed(lot: Tensor) -> bytes:
    bits = torch.zeros(-(-len(lot) // 8) * 8, dtype=torch.uint8)
    bits[: len(lot)] = lot.cpu().to(torch.uint8)
    return bytes((bits.view(-1, 8) << torch.arange(8, dtype=torch.uint8)).sum(1).tolist())


def _unpacked(raw: bytes, n: int) -> Tensor:
    packed = torch.tensor(list(raw), dtype=torch.uint8)
    return ((packed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1).flatten()[:n].bool()


def _digest(samples: Samples) -> str:
    """Hash the images and the labels."""
    total = hashlib.sha256()
    for tensor in (samples.x, samples.y):
        total.update(f"{tuple(tensor.shape)} ".encode())
        total.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
