"""Files: those that ship, which are checked; those that are fetched or written, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from ..errors import DataError

_HERE = Path(__file__).resolve()
_CHECKOUT = _HERE.parents[2] / "data"
_INSTALLED = _HERE.parents[1] / "shipped"
ROOT = _CHECKOUT if (_CHECKOUT / "MANIFEST.json").exists() else _INSTALLED
CACHE = Path.home() / ".cache" / "wmlearn"
REMEDY = "Get it back with `git checkout -- data`, or install the course again."


class Entry(TypedDict):
    """One file of `MANIFEST.json`."""

    sha256: str
    licence: str
    origin: str
    made: str


def manifest(root: Path | None = None) -> dict[str, Entry]:
    """Read what every shipped file should be: path below `root`, by default `ROOT`, -> its entry."""
    path = (root or ROOT) / "MANIFEST.json"
    try:
        entries = json.loads(read(path))
    except ValueError as error:
        raise DataError(f"{path} must be a JSON file, got: {error}. {REMEDY}") from error
    if not isinstance(entries, dict):
        raise DataError(f"{path} must map names to entries, got a {type(entries).__name__}. {REMEDY}")
    return entries


def shipped(name: str, root: Path | None = None) -> bytes:
    """Read a shipped file; raise `DataError` when it is missing, or not the file that the manifest names."""
    root = root or ROOT
    raw = read(root / name)
    entry = manifest(root).get(name)
    if entry is None:
        rule = f"{root / name} must be listed in MANIFEST.json"
        raise DataError(f"{rule}, got a file without an entry. {REMEDY}")
    if hashlib.sha256(raw).hexdigest() != entry["sha256"]:
        rule = f"{root / name} must have sha256 {entry['sha256'][:12]}…"
        raise DataError(f"{rule}, got {len(raw):,} bytes of something else. {REMEDY}")
    return raw


def read(path: Path) -> bytes:
    """Read a file; raise `DataError` with the remedy when that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} must be readable, got: {error.strerror}. {REMEDY}") from error


def write(path: Path, content: bytes) -> None:
    """Write `content` whole or not at all: to a temporary file beside `path`, then rename."""
    whole_or_nothing(path, lambda temporary: temporary.write_bytes(content))


def whole_or_nothing(path: Path, make: Callable[[Path], object], *, mode: int = 0o644) -> None:
    """Let `make` write to a temporary path beside `path`, then rename; on a failure nothing stays behind.

    A file that holds a secret needs the `mode` 0600.
    """
    temporary = path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        make(temporary)
        temporary.chmod(mode)  # mkstemp made it private
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary != path:
            temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise the `DataError` of `write` now, before long work whose result is to go there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", suffix=".part", dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> DataError:
    fix = "Free some space, or name another folder."
    return DataError(f"{path} must be writable, got: {error.strerror or error}. {fix}")


def fetch(name: str, what: str, fill: Callable[[Path], Path], *, download: bool = True) -> Path:
    """Return the cache folder `name` of the data set `what`; on first use, `fill` downloads it.

    `fill` puts the files in a temporary folder, and returns the one within to keep. That is renamed in the
    end: an interrupted download leaves nothing, and of two at once the first one stays. Raises `DataError`
    for a failed download, and for an empty cache with `download=False`.
    """
    folder = CACHE / name
    if folder.exists():
        return folder
    if not download:
        fix = f"Run `wmlearn data fetch {name}`, or pass root=."
        raise DataError(f"{folder} must hold {what}, got nothing. {fix}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}.") as temporary:
            fill(Path(temporary)).replace(folder)  # fails when another process was faster
    except (OSError, RuntimeError) as error:
        if not folder.exists():
            fix = "Try again with a network and space, or pass root=."
            raise DataError(f"{what} must arrive in {folder}, got: {error}. {fix}") from error
    return folder


def record(name: str, *, licence: str, origin: str, made: str, root: Path | None = None) -> None:
    """Enter a file below `root` (by default `ROOT`) into the manifest, with its present checksum."""
    root = root or ROOT
    checksum = hashlib.sha256(read(root / name)).hexdigest()
    entry = Entry(sha256=checksum, licence=licence, origin=origin, made=made)
    entries = dict(sorted({**manifest(root), name: entry}.items()))
    write(root / "MANIFEST.json", (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode())


def checked() -> str:
    """Say whether every shipped file has the checksum that the manifest names."""
    bad = damaged()
    if bad:
        return f"DAMAGED: {', '.join(bad)}. {REMEDY}"
    return f"{len(manifest())} data files, checksums agree"


def damaged() -> list[str]:
    """Name the shipped files that are missing, or not what the manifest says."""
    return [name for name in manifest() if _is_damaged(name)]


def _is_damaged(name: str) -> bool:
    try:
        shipped(name)
    except DataError:
        return True
    return False
