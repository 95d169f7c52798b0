"""Shipped files are what they should be, and say so when they aren't; what is fetched or written is whole or
not there at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest

import wmlearn as wm
from wmlearn.data import files
from wmlearn.data.files import checked, damaged

LABELS = "mnist/t10k-labels-idx1-ubyte.gz"


def _tree(folder: Path) -> list[str]:
    """Name everything below `folder`, hidden files included."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


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
    remedy = "Get it back with `git checkout -- data`, or install the course again."
    assert str(caught.value) == f"{shipped / LABELS} {complaint} {remedy}"


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
def test_what_need_not_last_is_whole_all_the_same_and_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    files.write(tmp_path / "a.json", b"one", lasting=False)
    assert not synced
    files.write(tmp_path / "a.json", b"two")
    assert len(synced) >= 1
    assert (tmp_path / "a.json").read_bytes() == b"two"
    assert _tree(tmp_path) == ["a.json"]


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


# A data set is fetched once


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def _fill(then: Callable[[Path], object] = lambda temporary: None) -> Callable[[Path], Path]:
    """Stand in for a download: a file to keep beside one that is not, and then what `then` does."""

    def fill(temporary: Path) -> Path:
        (temporary / "whole").mkdir()
        (temporary / "whole" / "data").write_bytes(b"data")
        (temporary / "archive.zip").write_bytes(b"archive")
        then(temporary)
        return temporary / "whole"

    return fill


def _raise(error: BaseException) -> Callable[[Path], object]:
    def stop(temporary: Path) -> None:
        raise error

    return stop


def _other_process(cache: Path) -> None:
    """Fetch the same, a little earlier."""
    (cache / "pictures").mkdir(parents=True)
    (cache / "pictures" / "data").write_bytes(b"first")


FETCHED = ["pictures", "pictures/data"]


def test_a_data_set_is_fetched_once_and_only_what_it_needs_is_kept(cache: Path) -> None:
    calls: list[Path] = []
    for _ in range(2):
        assert files.fetch("pictures", "Pictures", _fill(calls.append)) == cache / "pictures"
    assert _tree(cache) == FETCHED
    assert len(calls) == 1
    assert files.fetch("pictures", "Pictures", _fill(), download=False) == cache / "pictures"


@pytest.mark.parametrize(("name", "what"), [("fashion-mnist", "Fashion-MNIST"), ("gtsrb", "GTSRB")])
def test_without_download_an_empty_cache_is_named_with_its_remedy(cache: Path, name: str, what: str) -> None:
    rule = f"{cache / name} must hold {what}, got nothing."
    message = f"{rule} Run `wmlearn data fetch {name}`, or pass root=."
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}$"):
        wm.load(name, download=False)
    assert not cache.exists()


@pytest.mark.parametrize(
    "error",
    [RuntimeError("File not found or corrupted."), URLError("no network"), OSError(errno.ENOSPC, "full")],
)
def test_a_failed_download_leaves_nothing_and_names_its_remedy(cache: Path, error: Exception) -> None:
    rule = f"Pictures must arrive in {cache / 'pictures'}, got: {error}."
    message = f"{rule} Try again with a network and space, or pass root=."
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}$"):
        files.fetch("pictures", "Pictures", _fill(_raise(error)))
    assert _tree(cache) == []


def test_an_interrupted_download_leaves_nothing_and_can_be_tried_again(cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        files.fetch("pictures", "Pictures", _fill(_raise(KeyboardInterrupt())))
    assert _tree(cache) == []
    files.fetch("pictures", "Pictures", _fill())
    assert _tree(cache) == FETCHED


def test_a_cache_that_cannot_be_made_is_named(cache: Path) -> None:
    cache.write_text("not a folder")
    message = f"Pictures must arrive in {cache / 'pictures'}, got: "
    with pytest.raises(wm.DataError, match=f"^{re.escape(message)}"):
        files.fetch("pictures", "Pictures", _fill())


def test_a_download_that_ends_second_keeps_the_first(cache: Path) -> None:
    folder = files.fetch("pictures", "Pictures", _fill(lambda temporary: _other_process(cache)))
    assert (folder / "data").read_bytes() == b"first"
    assert _tree(cache) == FETCHED


def test_a_download_that_ends_second_by_a_hair_keeps_the_first(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = Path.exists
    arrived: list[Path] = []

    def other_ends_after_the_question(path: Path) -> bool:
        answer = exists(path)
        if path == cache / "pictures" and arrived and not answer:
            _other_process(cache)
        return answer

    monkeypatch.setattr(Path, "exists", other_ends_after_the_question)
    folder = files.fetch("pictures", "Pictures", _fill(arrived.append))
    monkeypatch.undo()
    assert (folder / "data").is_file()
    assert _tree(cache) == FETCHED


RACE = """
import sys, time
from pathlib import Path
from wmlearn.data import files
files.CACHE, meeting, me, other = (Path(word) for word in sys.argv[1:])

def fill(temporary):
    (temporary / "whole").mkdir()
    (temporary / "whole" / "data").write_bytes(b"data")
    (meeting / me).touch()
    for _ in range(6000):
        if (meeting / other).exists():
            return temporary / "whole"
        time.sleep(0.02)
    raise RuntimeError("the other did not come")

print((files.fetch("pictures", "Pictures", fill) / "data").read_text())
"""


def test_two_processes_may_fetch_at_once(tmp_path: Path, at_once: Callable[..., list[str]]) -> None:
    home, meeting = tmp_path / "home", tmp_path / "meeting"
    meeting.mkdir()
    assert at_once(RACE, (home, meeting, "a", "b"), (home, meeting, "b", "a")) == ["data\n"] * 2
    assert _tree(home) == FETCHED
