"""The German Traffic Sign Recognition Benchmark: photographs of 43 signs.

J. Stallkamp, M. Schlipsing, J. Salmen, C. Igel: Man vs. computer, Neural Networks 32 (2012). The competition
had two phases, and so there are two training sets: `edition` says which one a folder holds. The 12,630 test
photographs are the same.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ArgumentError, DataError, require_torchvision
from . import files
from .samples import Samples, Splits
from .signs.de import SIGNS

CLASSES = tuple(sign.name for sign in SIGNS)
SIDE = 32  # pixels; photographs of other sizes are scaled
EDITIONS = {26_640: "the training set of the first phase", 39_209: "the final training set"}
MOST_PIXELS = 2**22  # of one photograph; the largest of the benchmark has 266 x 232
TRACKS = 1000  # of one class, at most: group = class * TRACKS + track


@dataclass(frozen=True)
class _Photograph:
    path: Path
    label: int
    group: int


def edition(n_train: int) -> str:
    """Say which training set has `n_train` photographs; results must name it."""
    return f"{EDITIONS.get(n_train, 'part of a training set')}, {n_train:,} photographs"


def load_gtsrb(root: Path | None, download: bool) -> Splits:
    """Load all photographs as (N, 3, 32, 32), from `root` (torchvision's layout) or from a cache folder.

    `groups` of the training photographs is class * 1000 + track: about 30 frames show one physical sign, ever
    nearer. The benchmark keeps the tracks of the test photographs to itself, so each is a group of its own
    there, from 43,000 on. Decoding takes some seconds; the pixels are kept in the cache folder, so that it
    happens once. Raises `ArgumentError` for a folder that lacks classes, photographs or their list,
    `DataError` for a damaged file or a failed download.
    """
    if root is not None:
        return _from_folder(root, "Name the folder that holds gtsrb/, or fetch it again.")
    folder = files.fetch("gtsrb", "GTSRB", _download, download=download)
    return _from_folder(folder, f"Delete {folder} and fetch it again.")


def _download(temporary: Path) -> Path:
    require_torchvision("Fetching GTSRB")
    from torchvision.datasets import GTSRB

    whole = temporary / "gtsrb"
    for part in ("train", "test"):
        GTSRB(whole, part, download=True)
    for archive in whole.rglob("*.zip"):
        archive.unlink()
    return whole


def _from_folder(folder: Path, fix: str) -> Splits:
    base = next((place for place in (folder / "gtsrb", folder) if (place / "GTSRB").is_dir()), None)
    if base is None:
        raise ArgumentError(f"{folder} must hold gtsrb/GTSRB/, got nothing of that name. {fix}")
    train = _training(base, fix)
    test = _tests(base, fix)
    pixels = _pixels(base, [*train, *test], fix)  # (N, 3, 32, 32) uint8
    return Splits(_samples(pixels[: len(train)], train), _samples(pixels[len(train) :], test))


def _samples(pixels: Tensor, photographs: Sequence[_Photograph]) -> Samples:
    labels = torch.tensor([photograph.label for photograph in photographs])
    groups = torch.tensor([photograph.group for photograph in photographs])
    return Samples(pixels.float().div_(255), labels, CLASSES, groups)


def _training(base: Path, fix: str) -> list[_Photograph]:
    """List `Training/<class>/<track>_<frame>.ppm` by class, track and frame."""
    photographs: list[_Photograph] = []
    for label, name in enumerate(CLASSES):
        folder = base / "GTSRB" / "Training" / f"{label:05}"
        paths = sorted(folder.glob("*.ppm"))
        if not paths:
            rule = f"{folder} must hold photographs of class {label} ({name})"
            raise ArgumentError(f"{rule}, got none. {fix}")
        table = folder / f"GT-{label:05}.csv"
        if table.exists():  # it comes with both editions; without it, any number of photographs may be right
            _check_complete(folder, table, _rows(table, fix), fix)
        photographs += [_Photograph(path, label, label * TRACKS + _track(path, fix)) for path in paths]
    return photographs


def _track(path: Path, fix: str) -> int:
    match = re.fullmatch(r"(\d+)_\d+", path.stem)
    if not match:
        raise ArgumentError(f"{path} must be called <track>_<frame>.ppm, got another name. {fix}")
    digits = match[1]
    known = digits.isascii() and len(digits) <= 9 and int(digits) < TRACKS
    if not known:
        rule = f"{path} must be of a track below {TRACKS:,}"
        raise ArgumentError(f"{rule}, got another number. {fix}")
    return int(digits)


def _tests(base: Path, fix: str) -> list[_Photograph]:
    """List the test photographs with the labels of `GT-final_test.csv`."""
    table = base / "GT-final_test.csv"
    folder = base / "GTSRB" / "Final_Test" / "Images"
    rows = _rows(table, fix)
    _check_complete(folder, table, rows, fix)
    first = len(CLASSES) * TRACKS  # above all groups of the training photographs
    return [_Photograph(folder / name, label, first + i) for i, (name, label) in enumerate(rows)]


def _rows(table: Path, fix: str) -> list[tuple[str, int]]:
    """Read file names and classes from a table of the benchmark."""
    try:
        with table.open(newline="") as lines:
            rows = [(row["Filename"], int(row["ClassId"])) for row in csv.DictReader(lines, delimiter=";")]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        rule = f"{table} must list photographs (Filename;…;ClassId)"
        raise ArgumentError(f"{rule}, got {error!r:.200}. {fix}") from error
    odd = [label for _, label in rows if not 0 <= label < len(CLASSES)]
    if odd:
        rule = f"{table} must give classes 0..{len(CLASSES) - 1}"
        raise ArgumentError(f"{rule}, got {len(odd)} others. {fix}")
    return rows


def _check_complete(folder: Path, table: Path, rows: Sequence[tuple[str, int]], fix: str) -> None:
    """Raise `ArgumentError` where `folder` lacks a photograph that `table` lists in its `rows`."""
    present = {path.name for path in folder.glob("*.ppm")}
    missing = [name for name, _ in rows if name not in present]
    rule = f"{folder} must hold the photographs that {table.name} lists"
    if missing:
        got = f"{len(missing):,} of {len(rows):,} missing, {missing[0]} the first"
        raise ArgumentError(f"{rule}, got {got}. {fix}")
    if not rows:
        raise ArgumentError(f"{rule}, got an empty list. {fix}")


def _pixels(base: Path, photographs: Sequence[_Photograph], fix: str) -> Tensor:
    """Decode all photographs, (N, 3, 32, 32) uint8, or take what an earlier call has decoded.

    What was kept is taken only if the files are still the same by name, size and time of the last change.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save_file

    kept = files.CACHE / "decoded" / f"gtsrb-{_digest(str(base.resolve()))}.safetensors"
    names = _digest("\n".join(_name(photograph.path, base, fix) for photograph in photographs))
    with suppress(OSError, SafetensorError), safe_open(kept, "pt") as tensors:
        if tensors.metadata() == {"files": names}:
            return tensors.get_tensor("pixels")
    images = np.stack([_decode(photograph.path, fix) for photograph in photographs])  # (N, 32, 32, 3)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    with suppress(DataError):  # no place to keep them: decode again next time
        files.whole_or_nothing(kept, lambda path: save_file({"pixels": pixels}, path, {"files": names}))
    return pixels


def _name(path: Path, base: Path, fix: str) -> str:
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path} must be a whole PPM image, got: {error.strerror}. {fix}") from error
    # a photograph that is changed in place may keep its size, but not its time in nanoseconds
    return f"{path.relative_to(base)} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"


def _decode(path: Path, fix: str) -> np.ndarray:
    """Read one photograph as (32, 32, 3) uint8; other sizes are scaled bilinearly, with antialiasing."""
    from PIL import Image

    rule = f"{path} must be a whole PPM image"
    try:
        with Image.open(path, formats=("PPM",)) as image:
            width, height = image.size
            if width * height <= MOST_PIXELS:  # reading more than that takes memory for nothing
                return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{rule}, got: {error}. {fix}") from error
    raise DataError(f"{rule} of at most {MOST_PIXELS:,} pixels, got {width:,} x {height:,}. {fix}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
