"""A folder of pictures, with a folder inside for each class: torchvision's `ImageFolder`, read with care.

Pictures that can't be read are left out and named; how many files and images there may be is said.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..errors import DataError, require
from .photographs import FORMATS, MOST_PIXELS, READABLE
from .samples import Samples

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_FILES = 200_000
"""Files and folders that are listed; of more, a part must be named."""
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")

Listed = tuple[str, int]
"""A file, and its label."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of a folder that could be read, the names of their files below it, and why each of the
    others was skipped; `total` is how many pictures it holds.
    """

    samples: Samples
    names: tuple[str, ...]
    skipped: Mapping[str, str]
    total: int


def read_folder(
    folder: Path | str,
    *,
    size: int | None = None,
    channels: int | None = None,
    limit: int | None = None,
    labelled: bool = True,
    seed: int = 0,
) -> Pictures:
    """Read a folder whose folders are classes, in the order of their names, as `ImageFolder` does.

    With `size`, the centre square of each picture is scaled to `size` by `size` pixels; without it, all must
    have one size. `channels` is 1 for grey and 3 for colour, by default as the first picture is. `limit` is
    the most pictures to read, drawn by `seed`. Without `labelled`, pictures may lie in the folder itself, and
    all get the label 0. Raises `DataError` for a folder that isn't there, of one class, without a picture
    that can be read, or with more than `MOST_FILES` files.
    """
    place = Path(folder).expanduser()
    require(size is None or size > 0, "size must be positive", size)
    require(channels in (None, 1, 3), "channels must be 1 or 3", channels)
    require(limit is None or limit >= 1, "limit must be at least 1", limit)
    _check_files(place)
    listed, classes = _by_class(place) if labelled else _flat(place)
    if not listed:
        raise DataError(f"{place} must hold pictures ({READABLE}), got none. Name their folder.")
    form = _Form(place, size, channels)
    order = _order(len(listed), limit, seed)
    most = len(listed) if limit is None else min(limit, len(listed))
    images = form.images((listed[i] for i in order), most)
    first = next(images, None)
    if first is None:
        why = next(iter(form.skipped.values()))
        rule = f"{place} must hold a picture that can be read"
        raise DataError(f"{rule}, got {len(form.skipped):,} that can't; the first: {why}.")
    samples = Samples.of(chain([first], images), classes=classes, limit=most)
    return Pictures(samples, tuple(form.names), form.skipped, len(listed))


def _check_files(place: Path) -> None:
    """Raise `DataError` for no folder, or one of more than `MOST_FILES` files, without listing all."""
    if not place.is_dir():
        got = "something else" if place.exists() else "nothing"
        raise DataError(f"{place} must be a folder of pictures, got {got}. Check the name.")
    for n, _ in enumerate(_entries(place)):
        if n >= MOST_FILES:
            fix = "Copy or link a part of it into another folder: a few thousand pictures are enough."
            raise DataError(f"{place} must hold at most {MOST_FILES:,} files, got more. {fix}")


def _entries(place: Path) -> Iterator[str]:
    """Yield what lies in a folder and in those inside, as torchvision walks, entry by entry: a list of a
    million names would take seconds, and links may lead round for ever.
    """
    folders = [str(place)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry.path
                if entry.is_dir():
                    folders.append(entry.path)


def _by_class(place: Path) -> tuple[list[Listed], tuple[str, ...]]:
    """List the pictures of each class as torchvision does, and name the classes."""
    names = sorted(entry.name for entry in os.scandir(place) if entry.is_dir())
    if len(names) < 2:
        rule = f"{place} must hold a folder for each of two or more classes"
        fix = "Name the folder above the classes."
        raise DataError(f"{rule}, got {names[0] if names else 'no folder'}. {fix}")
    listed: list[Listed] = []
    for label, name in enumerate(names):
        for folder, _, inside in sorted(os.walk(place / name, followlinks=True)):
            paths = [os.path.join(folder, picture) for picture in sorted(inside)]
            listed += [(path, label) for path in paths if _is_picture(path)]
    return listed, tuple(names)


def _flat(place: Path) -> tuple[list[Listed], tuple[str, ...]]:
    """List the pictures in a folder and in all folders inside, in the order of their names, as one class."""
    paths = []
    for folder, _, names in os.walk(place, followlinks=True):
        paths += [os.path.join(folder, name) for name in names]
    return [(path, 0) for path in sorted(paths) if _is_picture(path)], ("?",)


def _is_picture(path: str) -> bool:
    return path.lower().endswith(ENDINGS)


def _order(n: int, limit: int | None, seed: int) -> list[int]:
    if limit is None or limit >= n:
        return list(range(n))
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()


@dataclass
class _Form:
    """What pictures are brought to, and which of them were read."""

    place: Path
    size: int | None
    channels: int | None
    names: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    sides: tuple[int, int] | None = None

    def images(self, listed: Iterator[Listed], most: int) -> Iterator[tuple[Image, int]]:
        """Yield up to `most` pictures with their labels; remember names, and what was skipped."""
        for path, label in listed:
            if len(self.names) == most:
                return
            name = os.path.relpath(path, self.place)
            try:
                image = self._opened(Path(path))
            except DataError as error:
                self.skipped[name] = str(error)
                continue
            self._check_sides(image, name)
            self.names.append(name)
            yield image, label

    def _opened(self, path: Path) -> Image:
        from PIL import Image

        if not path.is_file():  # a pipe would be waited for forever
            raise DataError("not a file, or a link that leads nowhere")
        try:
            # Pillow warns of odd metadata and many pixels; what matters is said below
            with warnings.catch_warnings(record=True), Image.open(path, formats=FORMATS) as image:
                return self._shaped(image)
        except DataError:
            raise
        except Exception as error:  # a damaged file makes Pillow raise almost anything
            raise DataError(f"a damaged picture, or none ({type(error).__name__})") from error

    def _shaped(self, image: Image) -> Image:
        from PIL import Image, ImageOps

        if image.width * image.height > MOST_PIXELS:
            raise DataError(f"too large: at most {MOST_PIXELS // 1_000_000} million pixels are read")
        if self.channels is None:
            self.channels = 1 if image.mode in ("1", "L") else 3
        image = image.convert("L" if self.channels == 1 else "RGB")
        if self.size is None:
            return image
        return ImageOps.fit(image, (self.size, self.size), Image.Resampling.BILINEAR)

    def _check_sides(self, image: Image, name: str) -> None:
        """Raise `DataError` for a picture of another size than the first."""
        self.sides = self.sides or image.size
        if image.size != self.sides:
            here = " by ".join(map(str, self.sides))
            got = " by ".join(map(str, image.size))
            fix = "Say which size the model reads, for instance --size 32 (in Python, size=32)."
            raise DataError(f"the pictures must all have one size, here {here}, got {got} in {name}. {fix}")
