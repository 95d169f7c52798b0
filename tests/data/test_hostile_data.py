"""Data in which anything may be wrong: pictures that change are seen, all else is one clear error."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wmlearn as wm
from wmlearn.data import files

N_CLASSES = 43
FIRST = "GTSRB/Training/00000/00000_00000.ppm"
LIST = "GT-final_test.csv"


def _ppm(path: Path, *colour: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P6\n32 32\n255\n" + bytes(colour) * 32 * 32)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    for label in range(N_CLASSES):
        _ppm(root / "gtsrb" / "GTSRB" / "Training" / f"{label:05}" / "00000_00000.ppm", label, 100, 0)
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for i in range(3):
        _ppm(root / "gtsrb" / "GTSRB" / "Final_Test" / "Images" / f"{i:05}.ppm", i, 0, 0)
        rows.append(f"{i:05}.ppm;32;32;0;0;0;0;{i}")
    (root / "gtsrb" / LIST).write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")


@pytest.fixture
def root(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "own"))


def _green(root: Path) -> int:
    return round(float(wm.load("gtsrb", root=root).train.x[0, 1].mean()) * 255)


@pytest.mark.parametrize("keeps_time", [False, True])
def test_a_photograph_that_is_changed_in_place_is_read_again(keeps_time: bool, root: Path) -> None:
    path = root / "gtsrb" / FIRST
    assert _green(root) == 100
    before = path.stat()
    _ppm(path, 0, 250, 0)
    if keeps_time:  # as a tool does that poisons pictures and restores their times
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert _green(root) == 250


def _png_bomb() -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    side = (30_000).to_bytes(4, "big")
    head = chunk(b"IHDR", side + side + b"\x08\0\0\0\0")
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


PICTURES = {
    "a bomb of 60,000 x 60,000": b"P6\n60000 60000\n255\n" + bytes(100),
    "a bomb of 13,000 x 13,000": b"P6\n13000 13000\n255\n" + bytes(100),
    "3,000 x 3,000, more than any sign": b"P6\n3000 3000\n255\n" + bytes(100),
    "a png bomb": _png_bomb(),
    "cut": b"P6\n32 32\n255\n" + bytes(500),
    "empty": b"",
    "odd sides": b"P6\n-1 99999999999999999999\n255\n",
    "sides of 5,000 digits": b"P6\n" + b"9" * 5000 + b" 1\n255\n",
    "no side": b"P6\n0 0\n255\n",
    "svg": b"<svg onload=alert(1)>",
    "another format": b"GIF89a" + bytes(100),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "NUL": bytes(1000),
    "a picture of letters": b"P3\n32 32\n255\n" + b"x " * 3072,
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("case", PICTURES)
def test_a_picture_that_is_none_is_one_clear_error(case: str, root: Path) -> None:
    path = root / "gtsrb" / FIRST
    path.write_bytes(PICTURES[case])
    with pytest.raises(wm.DataError, match=r"00000_00000\.ppm must be a whole PPM image"):
        wm.load("gtsrb", root=root)


def _is_folder(base: Path) -> None:
    (base / FIRST).unlink()
    (base / FIRST).mkdir()


def _dangles(base: Path) -> None:
    (base / FIRST).unlink()
    (base / FIRST).symlink_to("/nowhere")


def _renamed(name: str) -> Callable[[Path], object]:
    return lambda base: (base / FIRST).rename((base / FIRST).with_name(name))


def _listed(old: str, new: str) -> Callable[[Path], object]:
    return lambda base: (base / LIST).write_text((base / LIST).read_text().replace(old, new, 1))


def _list(content: bytes) -> Callable[[Path], object]:
    return lambda base: (base / LIST).write_bytes(content)


FOLDERS: dict[str, Callable[[Path], object]] = {
    "a picture that is a folder": _is_folder,
    "a picture that is a dangling link": _dangles,
    "track 99999": _renamed("99999_00000.ppm"),
    "a track of 30 digits": _renamed("9" * 30 + "_00000.ppm"),
    "a track in Arabic digits": _renamed("\u0661_\u0662.ppm"),
    "a picture from elsewhere": _listed("00000.ppm", "../../../secret.ppm"),
    "a picture by its whole path": _listed("00000.ppm", "/etc/passwd"),
    "class 99": _listed(";0\n", ";99\n"),
    "class -1": _listed(";0\n", ";-1\n"),
    "class 10^30": _listed(";0\n", ";" + "9" * 30 + "\n"),
    "a class of 5,000 digits": _listed(";0\n", ";" + "9" * 5000 + "\n"),
    "a class that is a word": _listed(";0\n", ";stop\n"),
    "a row without a class": _listed(";0\n", "\n"),
    "bytes that are no text": _list(b"Filename;ClassId\n\xff\xfe;1\n"),
    "NUL": _list(b"Filename;ClassId\n\0;1\n"),
    "a field of 200 kB": _list(b"Filename;ClassId\n" + b"a" * 200_000 + b";1\n"),
    "a list without a head": _list(b"00000.ppm;0\n"),
    "an empty list": _list(b""),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_is_odd_is_one_clear_error(case: str, root: Path) -> None:
    FOLDERS[case](root / "gtsrb")
    with pytest.raises(wm.WmlearnError) as caught:
        wm.load("gtsrb", root=root)
    assert len(str(caught.value)) < 700
    assert "\n" not in str(caught.value)


DIGITS = {
    "cut": gzip.compress(bytes(10_000))[:40],
    "a bomb of 200 MB": gzip.compress(bytes(200 * 2**20), 9),
    "junk": b"junk",
    "empty": b"",
    "a wrong checksum": gzip.compress(bytes(100))[:-6] + b"123456",
}


@pytest.mark.parametrize("case", DIGITS)
def test_digits_that_are_none_are_one_clear_error(case: str, tmp_path: Path) -> None:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(DIGITS[case])
    with pytest.raises(wm.DataError, match="must be "):
        wm.load("mnist", root=tmp_path)


ENTRY = {"sha256": "0" * 64, "licence": "CC0", "origin": "here", "made": "by hand"}
MANIFESTS = {
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "empty": b"",
    "an entry that is a string": b'{"x": "abc"}',
    "an entry that is empty": b'{"x": {}}',
    "an entry with a number": json.dumps({"x": {**ENTRY, "sha256": 5}}).encode(),
    "an entry twice": b'{"x": {}, "x": {}}',
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_an_odd_manifest_is_one_clear_error(case: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "MANIFEST.json").write_bytes(MANIFESTS[case])
    with pytest.raises(wm.DataError, match=r"MANIFEST\.json must .*Get it back with `git checkout"):
        files.shipped("x", tmp_path)


def test_at_least_44_cases_are_tried() -> None:
    assert len(PICTURES) + len(FOLDERS) + len(DIGITS) + len(MANIFESTS) >= 44


def _try(root: Path, n: int) -> None:
    picture, table = root / "gtsrb" / FIRST, root / "gtsrb" / LIST
    whole = {picture: picture.read_bytes(), table: table.read_bytes()}

    @given(path=st.sampled_from([picture, table]), draw=st.data())
    def is_answered(path: Path, draw: st.DataObject) -> None:
        raw = whole[path]
        start = draw.draw(st.integers(0, min(len(raw), 200)))
        end = draw.draw(st.integers(start, min(len(raw), start + 20)))
        path.write_bytes(raw[:start] + draw.draw(st.binary(max_size=8)) + raw[end:])
        try:
            wm.load("gtsrb", root=root)
        except wm.WmlearnError as error:
            says = str(error)
            assert "\n" not in says
        finally:
            path.write_bytes(raw)

    settings(max_examples=n)(is_answered)()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_spoilt_folder_is_photographs_or_one_clear_error(root: Path) -> None:
    _try(root, 30)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_1_000_spoilt_folders_are_photographs_or_clear_errors(root: Path) -> None:
    _try(root, 1000)
