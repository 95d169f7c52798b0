"""A learner's pictures become a tensor, whatever a phone made of them; what is no picture is named with its
reason, and nothing stops the rest.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import wmlearn as wm
from wmlearn.data import read_photographs

ORIENTATION = 0x0112
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def _quarters(side: int = 64) -> Image.Image:
    """Four colours that tell every turn and mirror image apart: red, green over blue, white."""
    image = Image.new("RGB", (side, side), WHITE)
    half = side // 2
    image.paste(RED, (0, 0, half, half))
    image.paste(GREEN, (half, 0, side, half))
    image.paste(BLUE, (0, half, half, side))
    return image


def _corners(x: Tensor) -> list[tuple[int, ...]]:
    """Return the colours in the middle of the four quarters of one picture (3, 32, 32)."""
    places = ((8, 8), (8, 24), (24, 8), (24, 24))
    return [tuple((255 * x[:, row, column]).round().int().tolist()) for row, column in places]


def _only(folder: Path) -> Tensor:
    photographs = read_photographs(folder)
    assert photographs.skipped == {}
    assert photographs.x.dtype == torch.float32
    (x,) = photographs.x
    assert x.shape == (3, 32, 32)
    assert 0 <= x.min() <= x.max() <= 1
    return x


def _reason(folder: Path) -> str:
    """Return why the only file of a folder was skipped."""
    photographs = read_photographs(folder)
    assert len(photographs) == 0
    assert photographs.x.shape == (0, 3, 32, 32)
    (reason,) = photographs.skipped.values()
    return reason


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp", "without a suffix"])
def test_pictures_of_every_format_are_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    options = {"lossless": True} if path.suffix == ".webp" else {}
    _quarters().save(path, format=None if path.suffix else "PNG", **options)
    for ours, truth in zip(_corners(_only(tmp_path)), (RED, GREEN, BLUE, WHITE), strict=True):
        assert ours == pytest.approx(truth, abs=3)


def test_what_two_pictures_of_a_phone_share_a_file_is_read(tmp_path: Path) -> None:
    _quarters().save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[_quarters()])
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.format == "MPO"
    assert _corners(_only(tmp_path))[3] == pytest.approx(WHITE, abs=3)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(orientation: int, suffix: str, tmp_path: Path) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    wide = Image.new("RGB", (90, 64), (128, 128, 128))
    wide.paste(_quarters(), (13, 0))
    held = wide.transpose(undo[orientation]) if orientation in undo else wide
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    held.save(tmp_path / f"a{suffix}", exif=exif)
    for ours, truth in zip(_corners(_only(tmp_path)), (RED, GREEN, BLUE, WHITE), strict=True):
        assert ours == pytest.approx(truth, abs=3)


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "CMYK"])
def test_pictures_in_other_modes_become_colours(mode: str, tmp_path: Path) -> None:
    suffix = ".jpg" if mode == "CMYK" else ".png"
    image = Image.new("L", (64, 64))
    image.paste(255, (32, 0, 64, 64))
    image.convert(mode).save(tmp_path / f"a{suffix}")
    corners = _corners(_only(tmp_path))
    for ours, bright in zip(corners, (0, 255, 0, 255), strict=True):
        assert ours == pytest.approx((bright,) * 3, abs=6)


@pytest.mark.parametrize("colour", [0, 1000, 32_768, 65_535])
def test_greys_of_16_bits_keep_their_brightness(colour: int, tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 40), colour, np.uint16)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode.startswith("I")
    assert float(_only(tmp_path).mean()) == pytest.approx(colour / 65_535, abs=1 / 255)


def test_colours_of_16_bits_keep_their_brightness(tmp_path: Path) -> None:
    row = b"\0" + struct.pack(">3H", 65_535, 32_768, 0) * 40
    _png(tmp_path / "a.png", 40, 40, depth=16, kind=2, raw=row * 40)
    assert _only(tmp_path).mean((1, 2)).tolist() == pytest.approx([1, 0.5, 0], abs=1 / 255)


def _png(path: Path, width: int, height: int, *, depth: int, kind: int, raw: bytes) -> None:
    """Write a PNG by hand, as Pillow writes no such one."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 1)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white_and_leaves_no_dark_edge(mode: str, tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (20, 20, 45, 45))
    image.convert(mode).save(tmp_path / "a.png")
    assert _only(tmp_path).min() == 1


def test_a_transparent_colour_of_a_palette_becomes_white(tmp_path: Path) -> None:
    image = Image.new("P", (64, 64), 1)
    image.putpalette([*BLUE, *RED])
    image.paste(0, (0, 0, 64, 32))
    image.save(tmp_path / "a.png", transparency=0)
    assert _corners(_only(tmp_path)) == [WHITE, WHITE, RED, RED]


def test_of_an_animation_the_first_picture_counts(tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])
    assert _only(tmp_path)[:, 5, 5].tolist() == [1, 0, 0]


@pytest.mark.parametrize(("width", "height"), [(96, 32), (32, 96), (97, 33)])
def test_the_centre_square_is_read(width: int, height: int, tmp_path: Path) -> None:
    side = min(width, height)
    image = Image.new("RGB", (width, height), RED)
    left, top = (width - side) // 2, (height - side) // 2
    image.paste(BLUE, (left, top, left + side, top + side))
    image.save(tmp_path / "a.png")
    # where a picture is scaled, its edge takes in a little of what lies beside it
    assert _only(tmp_path).mean((1, 2)).tolist() == pytest.approx([0, 0, 1], abs=0.002)


def test_a_picture_is_scaled_without_aliasing(tmp_path: Path) -> None:
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    assert (_only(tmp_path) - 0.5).abs().max() < 0.01


def test_a_jpeg_decoded_at_a_lower_resolution_looks_the_same(tmp_path: Path) -> None:
    (tmp_path / "jpeg").mkdir()
    (tmp_path / "png").mkdir()
    noise = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0))
    image = Image.fromarray((255 * noise).byte().permute(1, 2, 0).numpy()).resize((2400, 2400))
    image.save(tmp_path / "jpeg" / "a.jpg", quality=95)
    image.save(tmp_path / "png" / "a.png", compress_level=1)
    assert (_only(tmp_path / "jpeg") - _only(tmp_path / "png")).abs().max() < 0.03


def test_another_size_may_be_asked_for(tmp_path: Path) -> None:
    _quarters().save(tmp_path / "a.png")
    assert read_photographs(tmp_path, size=48).x.shape == (1, 3, 48, 48)
    with pytest.raises(wm.ArgumentError, match="size must be positive"):
        read_photographs(tmp_path, size=0)


# Not a picture, or not one to read


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7", b"II*\0" + bytes(60), bytes(5000)])
def test_what_is_no_picture_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert _reason(tmp_path) == "not a picture, or none that is read here (JPEG, PNG, WebP, GIF or BMP)"


def test_postscript_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n")
    assert "not a picture" in _reason(tmp_path)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_a_heic_picture_is_answered_with_the_way_to_a_jpeg(brand: bytes, tmp_path: Path) -> None:
    (tmp_path / "IMG_1.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(200))
    reason = _reason(tmp_path)
    assert "HEIC" in reason
    assert "export it as JPEG" in reason
    assert "Most Compatible" in reason


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".bmp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_picture_that_was_cut_off_is_damaged_and_never_half_read(
    suffix: str, share: float, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    noise = torch.rand(200, 200, 3, generator=torch.Generator().manual_seed(0))
    Image.fromarray((255 * noise).byte().numpy()).save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    assert _reason(tmp_path).startswith("a damaged picture, got: ")


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_stops_the_others(seed: int, tmp_path: Path) -> None:
    dice = np.random.default_rng(seed)
    for suffix in (".jpg", ".png", ".gif", ".webp", ".bmp"):
        path = tmp_path / f"a{suffix}"
        _quarters().save(path)
        raw = bytearray(path.read_bytes())
        for place in dice.integers(0, len(raw), 12):
            raw[place] = dice.integers(256)
        path.write_bytes(raw)
    _quarters().save(tmp_path / "whole.png")
    photographs = read_photographs(tmp_path)
    assert "whole.png" in photographs.names
    assert len(photographs.names) + len(photographs.skipped) == 6
    assert all(photographs.skipped.values())


@pytest.mark.parametrize(
    ("size", "is_read"), [((15, 200), False), ((200, 15), False), ((16, 16), True), ((1, 1), False)]
)
def test_a_tiny_picture_is_too_small(size: tuple[int, int], is_read: bool, tmp_path: Path) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    if is_read:
        _only(tmp_path)
    else:
        got = f"{size[0]} by {size[1]}"
        assert _reason(tmp_path) == f"too small: each side needs at least 16 pixels, got {got}"


@pytest.mark.parametrize("side", [9000, 12_000, 60_000])
def test_a_bomb_is_too_large_and_is_never_unpacked(side: int, tmp_path: Path) -> None:
    """9,000 squared is too much for us, 12,000 a warning of Pillow's, 60,000 an error of Pillow's."""
    _png(tmp_path / "a.png", side, side, depth=8, kind=2, raw=b"")
    reason = _reason(tmp_path)
    assert reason.startswith("too large: at most 80 million pixels are read, got ")
    assert reason.endswith("Crop it to the sign")


MEASURE = """
import re, sys
from collections.abc import Callable
from pathlib import Path
from wmlearn.data import read_photographs

def peak():  # kB; what resource.getrusage says would count the memory of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before = peak()
photographs = read_photographs(sys.argv[1])
assert photographs.names == ("a.jpg", "b.png"), photographs.skipped
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_fifty_megapixels_take_bounded_memory(tmp_path: Path, at_once: Callable[..., list[str]]) -> None:
    image = Image.new("RGBA", (8192, 6144), (200, 20, 30, 255))
    image.convert("RGB").save(tmp_path / "a.jpg")
    image.save(tmp_path / "b.png", compress_level=1)
    [megabytes] = at_once(MEASURE, [tmp_path])
    assert 150 < int(megabytes) < 500, "megabytes; the pixels of the PNG alone are 200"


# Folders


def test_a_folder_is_read_by_name_and_its_folders_are_not_entered(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "inside/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _quarters().save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("hello")
    before = sorted(tmp_path.rglob("*"))
    photographs = read_photographs(str(tmp_path))
    assert photographs.names == ("a.png", "b.png")
    assert list(photographs.skipped) == ["notes.txt"]
    assert photographs.folders == ("inside",)
    assert sorted(tmp_path.rglob("*")) == before, "nothing is written"


def test_one_picture_is_as_good_as_a_folder(tmp_path: Path) -> None:
    _quarters().save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("hello")
    assert read_photographs(tmp_path / "a.png").names == ("a.png",)
    assert list(read_photographs(tmp_path / "notes.txt").skipped) == ["notes.txt"]


def test_an_empty_folder_gives_no_pictures(tmp_path: Path) -> None:
    photographs = read_photographs(tmp_path)
    assert (len(photographs), photographs.names, photographs.skipped) == (0, (), {})
    assert photographs.x.shape == (0, 3, 32, 32)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(wm.DataError, match="nowhere must be a folder of pictures"):
        read_photographs(tmp_path / "nowhere")


def test_a_link_in_a_circle_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(wm.DataError, match="must be a folder of pictures"):
        read_photographs(tmp_path / "circle")
    assert "a link that leads nowhere" in _reason(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a file" in _reason(tmp_path)


def _refused(path: Path, *_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied", str(path))


@pytest.mark.parametrize("method", ["open", "is_file"])
def test_a_file_that_may_not_be_opened_is_named(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quarters().save(tmp_path / "a.png")
    monkeypatch.setattr(Path, method, _refused)
    assert _reason(tmp_path) == "it can't be opened: Permission denied"


def test_a_folder_that_may_not_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "iterdir", _refused)
    with pytest.raises(wm.DataError, match="got: Permission denied"):
        read_photographs(tmp_path)


@pytest.mark.parametrize("name", ["標識 ü.png", "-x.png", "a'b\"c$d.png", "a\nb\x1b[31m.png", "%s {}.png"])
def test_a_name_may_hold_any_characters(name: str, tmp_path: Path) -> None:
    _quarters().save(tmp_path / name)
    assert read_photographs(tmp_path).names == (name,)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no name that is not text")
def test_a_name_may_be_no_text_at_all(tmp_path: Path) -> None:
    _quarters().save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", os.path.join(os.fsencode(tmp_path), b"\xff.png"))
    assert len(read_photographs(tmp_path)) == 1


# Real photographs


def test_photographs_saved_as_png_come_back_to_the_bit(photographs: wm.Splits, tmp_path: Path) -> None:
    x = photographs.test.x[:50]
    for i, pixels in enumerate((255 * x).round().byte().permute(0, 2, 3, 1).numpy()):
        Image.fromarray(pixels).save(tmp_path / f"{i:02}.png")
    assert torch.equal(read_photographs(tmp_path).x, x)
