"""The digits are the original ones; garments come from a folder or are fetched; what is damaged is named."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision.datasets

import wmlearn as wm
from wmlearn.data import files

ORIGINAL = {  # MD5 of the uncompressed files
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
NAMES = tuple(ORIGINAL)


# MNIST ships


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_digits_are_the_original_ones(name: str) -> None:
    plain = gzip.decompress(files.shipped(f"mnist/{name}.gz"))
    assert hashlib.md5(plain).hexdigest() == ORIGINAL[name]


def test_mnist_is_seventy_thousand_digits(mnist: wm.Splits) -> None:
    for samples, size in ((mnist.train, 60_000), (mnist.test, 10_000)):
        assert samples.x.shape == (size, 1, 28, 28)
        assert samples.y.shape == (size,)
        assert samples.x.dtype == torch.float32
        assert samples.y.dtype == torch.int64
        assert samples.x.aminmax() == (0, 1)
        assert samples.classes == tuple("0123456789")
    assert torch.bincount(mnist.train.y).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert torch.bincount(mnist.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_images_are_the_files_bytes_divided_by_255(mnist: wm.Splits) -> None:
    plain = gzip.decompress(files.shipped("mnist/t10k-images-idx3-ubyte.gz"))
    stored = torch.frombuffer(bytearray(plain[16:]), dtype=torch.uint8).view(10_000, 1, 28, 28)
    assert mnist.test.x.mul(255).round().byte().equal(stored)
    assert mnist.test.x[0].max() == stored[0].max() / 255


def test_two_processes_load_mnist_at_the_same_time(at_once: Callable[..., list[str]]) -> None:
    printed = at_once("import wmlearn as wm; print(wm.load('mnist').train)", (), ())
    assert printed == ["Samples(60,000 images (1, 28, 28), 10 classes)\n"] * 2


# Fashion-MNIST comes from elsewhere


def _contents() -> dict[str, bytes]:
    """Four IDX files of the right sizes: black images but for each part's last pixel, labels that count."""
    made = {}
    for part, size in (("train", 60_000), ("t10k", 10_000)):
        pixels = bytearray(size * 784)
        pixels[-1] = 255
        shape = b"".join(n.to_bytes(4, "big") for n in (size, 28, 28))
        made[f"{part}-images-idx3-ubyte"] = b"\x00\x00\x08\x03" + shape + bytes(pixels)
        made[f"{part}-labels-idx1-ubyte"] = (
            b"\x00\x00\x08\x01" + shape[:4] + bytes(i % 10 for i in range(size))
        )
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as torchvision leaves them: each plain and compressed."""
    folder = tmp_path_factory.mktemp("source")
    for name, plain in _contents().items():
        (folder / name).write_bytes(plain)
        (folder / f"{name}.gz").write_bytes(gzip.compress(plain, 1))
    return folder


def _place(source: Path, folder: Path, ending: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / f"{name}{ending}").hardlink_to(source / f"{name}{ending}")
    return folder


def _is_whole(splits: wm.Splits) -> bool:
    shapes = splits.train.x.shape == (60_000, 1, 28, 28) and splits.test.x.shape == (10_000, 1, 28, 28)
    pixels = splits.train.x.sum() == splits.train.x[-1, 0, -1, -1] == splits.test.x[-1, 0, -1, -1] == 1
    return shapes and bool(pixels) and splits.test.y[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("layout", [".", "FashionMNIST/raw"])
def test_garments_load_from_a_folder_of_ones_own(
    source: Path, tmp_path: Path, layout: str, ending: str
) -> None:
    _place(source, tmp_path / layout, ending)
    splits = wm.load("fashion-mnist", root=tmp_path)
    assert _is_whole(splits)
    assert splits.train.classes[9] == "ankle boot"
    assert len(set(splits.train.classes)) == 10


def test_digits_load_from_a_folder_of_ones_own_whose_name_is_a_string(source: Path, tmp_path: Path) -> None:
    _place(source, tmp_path / "MNIST" / "raw", ".gz")
    splits = wm.load("mnist", root=str(tmp_path))
    assert _is_whole(splits)
    assert splits.train.classes == tuple("0123456789")


def test_missing_files_are_named(source: Path, tmp_path: Path) -> None:
    _place(source, tmp_path, ".gz")
    for name in (NAMES[1], NAMES[2]):
        (tmp_path / f"{name}.gz").unlink()
    message = f"{tmp_path} must hold four IDX files, plain or .gz, got none named {NAMES[1]}, {NAMES[2]}."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.load("fashion-mnist", root=tmp_path)


def test_a_folder_that_is_not_there_lacks_all_four(tmp_path: Path) -> None:
    with pytest.raises(
        wm.ArgumentError, match=f"nowhere must hold four IDX files, .* got none named {', '.join(NAMES)}"
    ):
        wm.load("mnist", root=tmp_path / "nowhere")


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x1f\x8b" + bytes(500))


IDX_DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a truncated gzip file": (
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        r"must be a whole gzip file, got: .+\.",
    ),
    "no gzip file inside": (_garbage, r"must be a whole gzip file, got: .+\."),
    "a checksum that fails": (
        lambda path: path.write_bytes(path.read_bytes()[:-8] + bytes(8)),
        r"must be a whole gzip file, got: .+\.",
    ),
    "labels too few": (
        lambda path: path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1])),
        r"must be an IDX file of shape \(10000,\), got 10,007 bytes that aren't\.",
    ),
    "another size in the header": (
        lambda path: path.write_bytes(gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x01" + bytes(10_000))),
        r"must be an IDX file of shape \(10000,\), got 10,008 bytes that aren't\.",
    ),
    "a web page": (
        lambda path: path.write_bytes(b"<html>"),
        r"must be an IDX file of shape \(10000,\), got 6 bytes that aren't\.",
    ),
}


@pytest.mark.parametrize("layout", [".", "FashionMNIST/raw"])
@pytest.mark.parametrize("case", IDX_DAMAGE)
def test_a_damaged_file_is_named_with_its_place(source: Path, tmp_path: Path, case: str, layout: str) -> None:
    damage, complaint = IDX_DAMAGE[case]
    _place(source, tmp_path / layout, ".gz")
    path = tmp_path / layout / "t10k-labels-idx1-ubyte.gz"
    shutil.copy(path, path.with_suffix(".own"))
    path.with_suffix(".own").replace(path)  # not the hard link
    damage(path)
    with pytest.raises(wm.DataError, match=f"^{re.escape(str(path))} {complaint}"):
        wm.load("fashion-mnist", root=tmp_path)


def test_labels_outside_the_classes_are_refused(source: Path, tmp_path: Path) -> None:
    _place(source, tmp_path, "")
    path = tmp_path / "t10k-labels-idx1-ubyte"
    plain = path.read_bytes()
    path.unlink()
    path.write_bytes(plain[:-1] + b"\x0a")
    with pytest.raises(wm.ArgumentError, match=r"^labels must lie in 0\.\.9, got \(0, 10\)\."):
        wm.load("fashion-mnist", root=tmp_path)


# ... and is fetched once


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def _torchvision(source: Path, calls: list[Path]) -> Callable[..., None]:
    """Stand in for torchvision.datasets.FashionMNIST: leave each file plain and compressed."""

    def fetch(root: str | Path, *, download: bool) -> None:
        assert download
        calls.append(Path(root))
        raw = Path(root) / "FashionMNIST" / "raw"
        _place(source, raw, "")
        _place(source, raw, ".gz")

    return fetch


def test_a_download_leaves_the_compressed_files_only_and_happens_once(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source, calls))
    for _ in range(2):
        assert _is_whole(wm.load("fashion-mnist"))
    names = [path.name for path in (cache / "fashion-mnist").iterdir()]
    assert sorted(names) == sorted(f"{name}.gz" for name in NAMES)
    assert [path.name for path in cache.iterdir()] == ["fashion-mnist"]
    assert len(calls) == 1
    assert _is_whole(wm.load("fashion-mnist", download=False))


@pytest.mark.parametrize("damage", [Path.unlink, _garbage])
def test_a_damaged_cache_is_mended_as_the_message_says(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    folder = cache / "fashion-mnist"
    _place(source, folder, ".gz")
    path = folder / f"{NAMES[3]}.gz"
    shutil.copy(path, cache / "own")
    (cache / "own").replace(path)
    damage(path)
    with pytest.raises(wm.WmlearnError, match=rf"Delete {re.escape(str(folder))} and fetch it again\.$"):
        wm.load("fashion-mnist")
    shutil.rmtree(folder)
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source, []))
    assert _is_whole(wm.load("fashion-mnist"))
