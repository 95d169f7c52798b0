"""Photographs of the learner's own: a folder of pictures becomes a tensor, and a list of what was skipped."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .. import progress
from ..errors import DataError, require

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
READABLE = "JPEG, PNG, WebP, GIF or BMP"
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""How the files begin that iPhones write, from the ninth byte on."""
LEAST_SIDE = 16  # pixels; the network reads 32, and half of that is blurred already
MOST_PIXELS = 80_000_000
"""Below the size where Pillow itself warns; a picture of this size takes up to 0.7 GB while it is scaled."""
GENEROUS = 8  # a JPEG is decoded at a lower resolution where that still leaves this many times the size


@dataclass(frozen=True, eq=False)
class Photographs:
    """Pictures `x` (N, 3, size, size) float32 in [0, 1], and the names of their N files.

    `skipped` says of every other file why it was not read; `folders` names the folders inside, which were
    not entered.
    """

    x: Tensor
    names: tuple[str, ...]
    skipped: Mapping[str, str]
    folders: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def read_photographs(folder: Path | str, *, size: int = 32) -> Photographs:
    """Read the pictures in `folder`, sorted by name, or the one picture that `folder` names.

    A picture is turned upright; its centre square is scaled to `size` by `size` pixels, bilinearly and with
    antialiasing, as the photographs of GTSRB are. What is transparent becomes white; of an animation the
    first picture counts. A file that can't be read is skipped, and what is skipped says why. Nothing is
    written. Raises `DataError` where `folder` isn't there or can't be opened.
    """
    require(size > 0, "size must be positive", size)
    pixels = []
    names = []
    folders = []
    skipped = {}
    for path in progress.each(_listed(Path(folder).expanduser()), "opening photographs"):
        if _is_folder(path):
            folders.append(path.name)
            continue
        try:
            pixels.append(_decoded(path, size))
            names.append(path.name)
        except DataError as error:
            skipped[path.name] = str(error)
    images = np.stack(pixels) if pixels else np.zeros((0, size, size, 3), np.uint8)  # (N, size, size, 3)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float().div_(255)
    return Photographs(x, tuple(names), skipped, tuple(folders))


def _listed(place: Path) -> list[Path]:
    try:
        place.stat()  # which fails where nothing is
        return sorted(place.iterdir()) if place.is_dir() else [place]
    except (OSError, ValueError) as error:
        got = getattr(error, "strerror", None) or error
        rule = f"{place} must be a folder of pictures, or one picture"
        raise DataError(f"{rule}, got: {got}. Check the name, and that you may open it.") from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it can't be looked at; opening it says why
        return False


def _decoded(path: Path, size: int) -> np.ndarray:
    """Read one picture as (size, size, 3) uint8; raise `DataError` with the reason, without the name."""
    try:
        if not path.is_file():  # a pipe would be waited for forever
            raise DataError("not a file, or a link that leads nowhere")
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise DataError(f"it can't be opened: {error.strerror}") from error
    if head[4:8] == b"ftyp" and head[8:12] in HEIC:
        raise DataError(
            "a HEIC picture, which is not read here: export it as JPEG (on an iPhone, Settings > Camera >"
            " Formats > Most Compatible for new ones; on a Mac, Preview > File > Export)"
        )
    with warnings.catch_warnings(record=True):  # of odd metadata and many pixels; what matters is said below
        return _upright_square(path, size)


def _upright_square(path: Path, size: int) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_sides(*image.size)
            image.draft(None, (GENEROUS * size, GENEROUS * size))  # of a JPEG, so that it takes little memory
            return _scaled(image, size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large("far more")) from error
    except UnidentifiedImageError as error:
        raise DataError(f"not a picture, or none that is read here ({READABLE})") from error
    except DataError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise almost anything
        got = str(error) or type(error).__name__
        raise DataError(f"a damaged picture, got: {got}. Copy or export it again") from error


def _check_sides(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise DataError(_too_large(f"{width:,} by {height:,}"))
    if min(width, height) < LEAST_SIDE:
        rule = f"too small: each side needs at least {LEAST_SIDE} pixels"
        raise DataError(f"{rule}, got {width:,} by {height:,}")


def _too_large(got: str) -> str:
    millions = MOST_PIXELS // 1_000_000
    return f"too large: at most {millions} million pixels are read, got {got}. Crop it to the sign"


def _scaled(image: Image, size: int) -> np.ndarray:
    """Return the centre square of a picture, upright, on white where it is transparent: (size, size, 3)."""
    from PIL import Image, ImageOps

    if image.mode.startswith("I"):  # greys of 16 bits
        image = _of_8_bits(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    side = min(image.size)
    left, top = ((length - side) / 2 for length in image.size)
    box = (left, top, left + side, top + side)
    small = image.resize((size, size), Image.Resampling.BILINEAR, box)
    small = ImageOps.exif_transpose(small)  # when it is small, and not while it is huge; the middle stays
    if mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    return np.asarray(small.convert("RGB"))


def _of_8_bits(image: Image) -> Image:
    from PIL import Image

    greys = (np.asarray(image) >> 8).astype(np.uint8)
    eight = Image.fromarray(greys)
    eight.info.update(image.info)  # how the camera was held
    eight.info.pop("transparency", None)  # names a grey of 16 bits
    return eight
