"""Files that ship with the course: where they lie, whether they are what they should be, and how to write one
whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from ..errors import DataError
from . import files

_HERE = Path(__file__).resolve()
_CHECKOUT, _INSTALLED = _HERE.parents[2] / "data", _HERE.parents[1] / "shipped"
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
    """Read what every shipped file should be: path below `root` (by default `ROOT`) -> sha256, licence,
    origin, how made.
    """
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
    raw, known = read(root / name), manifest(root).get(name)
    if known is None:
        raise DataError(
            f"{root / name} must be listed in MANIFEST.json, got a file without an entry. {REMEDY}"
        )
    if hashlib.sha256(raw).hexdigest() != known["sha256"]:
        raise DataError(
            f"{root / name} must have sha256 {known['sha256'][:12]}…, got {len(raw):,} bytes of something"
            f" else. {REMEDY}"
        )
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
    """Let `make` write to a temporary path beside `path`, then rename; on any failure nothing stays behind. A
    secret has mode 0600.
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
    return DataError(
        f"{path} must be writable, got: {error.strerror or error}. Free some space, or name another folder."
    )


def record(name: str, *, licence: str, origin: str, made: str, root: Path | None = None) -> None:
    """Enter a file below `root` (by default `ROOT`) into the manifest, with its present checksum."""
    root = root or ROOT
    entry = Entry(
        sha256=hashlib.sha256(read(root / name)).hexdigest(), licence=licence, origin=origin, made=made
    )
    entries = dict(sorted({**manifest(root), name: entry}.items()))
    write(root / "MANIFEST.json", (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode())


def checked() -> str:
    """Say whether every shipped file has the checksum that the manifest names."""
    bad = damaged()
    return (
        f"{len(files.manifest())} data files, checksums agree"
        if not bad
        else f"DAMAGED: {', '.join(bad)}. {files.REMEDY}"
    )


def damaged() -> list[str]:
    """Name the shipped files that are missing, or not what the manifest says."""

    def broken(name: str) -> bool:
        try:
            files.shipped(name)
        except DataError:
            return True
        return False

    return [name for name in files.manifest() if broken(name)]
