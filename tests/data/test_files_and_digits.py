"""The data is what it should be, says so when it isn't, and arrives and is written whole or not at all."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchvision.datasets

import wmlearn as wm
from wmlearn.data import files
from wmlearn.data.files import checked, damaged

ORIGINAL = {  # MD5 of the uncompressed files
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
NAMES = tuple(ORIGINAL)
LABELS = "mnist/t10k-labels-idx1-ubyte.gz"


def _tree(folder: Path) -> list[str]:
    """Name everything below `folder`, hidden files included."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


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


def test_two_processes_load_mnist_at_the_same_time() -> None:
    command = [sys.executable, "-c", "import wmlearn as wm; print(wm.load('mnist').train)"]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert out == "Samples(60,000 images (1, 28, 28), 10 classes)\n"


# Shipped files are checked


def test_every_shipped_file_is_in_the_manifest_with_its_checksum() -> None:
    there = {
        path.relative_to(files.ROOT).as_posix(): path for path in files.ROOT.rglob("*") if path.is_file()
    }
    entries = files.manifest()
    assert there.keys() - {"MANIFEST.json", "README.md"} == entries.keys()
    for name, entry in entries.items():
        assert hashlib.sha256(there[name].read_bytes()).hexdigest() == entry["sha256"], name


def test_every_entry_of_the_manifest_says_whence_and_under_what_licence() -> None:
    for name, entry in files.manifest().items():
        assert entry.keys() == {"sha256", "licence", "origin", "made"}, name
        assert all(entry.values()), name


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of MNIST as it ships, for a test to damage."""
    root = tmp_path / "data"
    shutil.copytree(files.ROOT / "mnist", root / "mnist")
    entries = {name: entry for name, entry in files.manifest().items() if name.startswith("mnist/")}
    (root / "MANIFEST.json").write_text(json.dumps(entries))
    monkeypatch.setattr(files, "ROOT", root)
    return root


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def _forget(path: Path) -> None:
    manifest = path.parents[1] / "MANIFEST.json"
    entries = json.loads(manifest.read_text())
    del entries[LABELS]
    manifest.write_text(json.dumps(entries))


SHA = "b91679a0acfe"
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit flipped": (_flip, f"must have sha256 {SHA}…, got 4,517 bytes of something else."),
    "cut short": (
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        f"must have sha256 {SHA}…, got 1,000 bytes of something else.",
    ),
    "empty": (lambda path: path.write_bytes(b""), f"must have sha256 {SHA}…, got 0 bytes of something else."),
    "missing": (lambda path: path.unlink(), "must be readable, got: No such file or directory."),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "must be readable, got: Is a directory."),
    "not in the manifest": (_forget, "must be listed in MANIFEST.json, got a file without an entry."),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_shipped_file_that_is_not_what_it_should_be_is_named_with_its_remedy(
    case: str, shipped: Path
) -> None:
    damage, complaint = DAMAGE[case]
    damage(shipped / LABELS)
    with pytest.raises(wm.DataError) as caught:
        wm.load("mnist")
    assert (
        str(caught.value)
        == f"{shipped / LABELS} {complaint} Get it back with `git checkout -- data`, or install the course"
        " again."
    )


def test_an_undamaged_copy_loads(shipped: Path) -> None:
    assert len(wm.load("mnist").test) == 10_000
    assert checked() == "4 data files, checksums agree"


def test_the_first_cell_of_a_notebook_names_damaged_files(shipped: Path) -> None:
    _flip(shipped / LABELS)
    assert damaged() == [LABELS]
    assert checked() == f"DAMAGED: {LABELS}. {files.REMEDY}"


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[]"])
def test_a_manifest_that_cannot_be_read_is_named_with_its_remedy(
    content: bytes | None, shipped: Path
) -> None:
    manifest = shipped / "MANIFEST.json"
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    with pytest.raises(wm.DataError, match=f"^{re.escape(str(manifest))} must .*{re.escape(files.REMEDY)}$"):
        wm.load("mnist")


def test_a_recorded_file_passes_the_check_until_it_changes(shipped: Path) -> None:
    (shipped / "a.txt").write_text("one")
    files.record("a.txt", licence="CC0", origin="here", made="by hand", root=shipped)
    assert files.shipped("a.txt", shipped) == b"one"
    assert list(files.manifest(shipped)) == sorted(files.manifest(shipped))
    assert len(files.manifest(shipped)) == 5
    (shipped / "a.txt").write_text("two")
    with pytest.raises(wm.DataError, match=r"a\.txt must have sha256"):
        files.shipped("a.txt", shipped)


# Files are written whole or not at all


def test_a_file_is_written_and_replaced_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    files.write(path, b"one")
    files.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert _tree(tmp_path) == ["new", "new/folder", "new/folder/file"]


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_written_file_can_be_read_by_everybody(tmp_path: Path) -> None:
    files.write(tmp_path / "file", b"one")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def _writes_half_and_raises(error: BaseException) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    return make


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("a bug"), KeyboardInterrupt()]
)
def test_a_failure_leaves_nothing_behind_and_keeps_what_was_there(
    tmp_path: Path, error: BaseException, old: bytes | None
) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    before = _tree(tmp_path)
    with pytest.raises(wm.DataError if isinstance(error, OSError) else type(error)):
        files.whole_or_nothing(path, _writes_half_and_raises(error))
    assert _tree(tmp_path) == before
    assert old is None or path.read_bytes() == old


def test_a_full_disk_is_named_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "file"
    message = (
        f"{path} must be writable, got: No space left on device. Free some space, or name another folder."
    )
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}$"):
        files.whole_or_nothing(
            path, _writes_half_and_raises(OSError(errno.ENOSPC, "No space left on device"))
        )


def test_a_write_that_the_system_cuts_off_leaves_nothing_behind(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are POSIX")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "file").write_bytes(b"old")
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(wm.DataError, match="must be writable, got: File too large"):
            files.write(tmp_path / "file", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _tree(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)  # root may write anywhere
    message = (
        f"{tmp_path / 'file'} must be writable, got: Permission denied. Free some space, or name another"
        " folder."
    )
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}$"):
        files.write(tmp_path / "file", b"content")
    assert _tree(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_and_the_reverse_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for path in (tmp_path / "file" / "below", tmp_path / "folder"):
        with pytest.raises(wm.DataError, match=f"^{re.escape(str(path))} must be writable, got: "):
            files.write(path, b"content")
    assert _tree(tmp_path) == ["file", "folder", "folder/inner"]


# Fashion-MNIST comes from elsewhere


def _contents() -> dict[str, bytes]:
    """Four IDX files of the right sizes: black images but for the last pixel of each part, labels that count."""
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
    "a checksum that fails": (_flip, r"must be a whole gzip file, got: .+\."),
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


def _torchvision(source: Path, also: Callable[[Path], object] = lambda raw: None) -> Callable[..., None]:
    """Stand in for torchvision.datasets.FashionMNIST: leave each file plain and compressed, then do what
    `also` says.
    """

    def fetch(root: str | Path, *, download: bool) -> None:
        assert download
        raw = Path(root) / "FashionMNIST" / "raw"
        _place(source, raw, "")
        _place(source, raw, ".gz")
        also(raw)

    return fetch


def _raises(error: BaseException) -> Callable[[Path], object]:
    def also(raw: Path) -> None:
        for name in NAMES[2:]:
            (raw / f"{name}.gz").unlink()
        raise error

    return also


FETCHED = ["fashion-mnist", *(f"fashion-mnist/{name}.gz" for name in sorted(NAMES))]


def test_a_download_leaves_the_compressed_files_only_and_happens_once(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source, calls.append))
    for _ in range(2):
        assert _is_whole(wm.load("fashion-mnist"))
    assert _tree(cache) == FETCHED
    assert len(calls) == 1
    assert _is_whole(wm.load("fashion-mnist", download=False))


def test_without_download_an_empty_cache_is_named_with_its_remedy(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        torchvision.datasets, "FashionMNIST", _raises(AssertionError("it must not be called"))
    )
    folder = cache / "fashion-mnist"
    message = (
        f"{folder} must hold Fashion-MNIST, got nothing. Run `wmlearn data fetch fashion-mnist`, or pass"
        " root=."
    )
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}$"):
        wm.load("fashion-mnist", download=False)
    assert not cache.exists()


@pytest.mark.parametrize(
    "error",
    [RuntimeError("File not found or corrupted."), URLError("no network"), OSError(errno.ENOSPC, "full")],
)
def test_a_failed_download_leaves_nothing_and_names_its_remedy(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source, _raises(error)))
    message = (
        f"Fashion-MNIST must arrive in {cache / 'fashion-mnist'}, got: {error}. Try again with a network and"
        " space, or pass root=."
    )
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}$"):
        wm.load("fashion-mnist")
    assert _tree(cache) == []


def test_an_interrupted_download_leaves_nothing_and_can_be_tried_again(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        torchvision.datasets, "FashionMNIST", _torchvision(source, _raises(KeyboardInterrupt()))
    )
    with pytest.raises(KeyboardInterrupt):
        wm.load("fashion-mnist")
    assert _tree(cache) == []
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source))
    assert _is_whole(wm.load("fashion-mnist"))


def test_a_cache_that_cannot_be_made_is_named(cache: Path) -> None:
    cache.write_text("not a folder")
    with pytest.raises(
        wm.DataError, match=f"^Fashion-MNIST must arrive in {re.escape(str(cache / 'fashion-mnist'))}, got: "
    ):
        wm.load("fashion-mnist")


def test_a_download_that_ends_second_keeps_the_first(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_ends_first(raw: Path) -> None:
        _place(source, cache / "fashion-mnist", ".gz")

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source, other_ends_first))
    assert _is_whole(wm.load("fashion-mnist"))
    assert _tree(cache) == FETCHED


def test_a_download_that_ends_second_by_a_hair_keeps_the_first(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, exists, arrived = cache / "fashion-mnist", Path.exists, []

    def other_ends_after_the_question(path: Path) -> bool:
        answer = exists(path)
        if path == folder and arrived and not answer:
            _place(source, folder, ".gz")
        return answer

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source, arrived.append))
    monkeypatch.setattr(Path, "exists", other_ends_after_the_question)
    assert _is_whole(wm.load("fashion-mnist"))
    monkeypatch.undo()
    assert _tree(cache) == FETCHED


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
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", _torchvision(source))
    assert _is_whole(wm.load("fashion-mnist"))


RACE = """
import os, sys, time
from pathlib import Path
import torchvision.datasets
source, meeting, me, other = (Path(word) for word in sys.argv[1:])

def fetch(root, *, download):
    raw = Path(root) / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (meeting / me).touch()
    for _ in range(6000):
        if (meeting / other).exists():
            break
        time.sleep(0.02)
    else:
        raise RuntimeError("the other did not come")
    for path in source.iterdir():
        (raw / path.name).hardlink_to(path)

torchvision.datasets.FashionMNIST = fetch
import wmlearn as wm
print(wm.load("fashion-mnist").test)
"""


def test_two_processes_may_fetch_at_once(source: Path, tmp_path: Path) -> None:
    home, meeting = tmp_path / "home", tmp_path / "meeting"
    home.mkdir()
    meeting.mkdir()
    environment = os.environ | {"HOME": str(home), "USERPROFILE": str(home)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(source), str(meeting), *names],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for names in (("a", "b"), ("b", "a"))
    ]
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert out == "Samples(10,000 images (1, 28, 28), 10 classes)\n"
    assert _tree(home / ".cache" / "wmlearn") == FETCHED
