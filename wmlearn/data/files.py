"""Files: those that ship, which are checked; those that are fetched or written, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from filelock import FileLock, Timeout

from ..errors import DataError, SecretWarning

_HERE = Path(__file__).resolve()
_CHECKOUT = _HERE.parents[2] / "data"
_INSTALLED = _HERE.parents[1] / "shipped"
ROOT = _CHECKOUT if (_CHECKOUT / "MANIFEST.json").exists() else _INSTALLED
PATIENCE = 2.0  # seconds that one run waits for another to end
PRIVATE = 0o600  # of a file that holds a secret: its owner reads it, nobody else


def home() -> Path:
    """Return the user's folder; the present one where the system knows no user, as in some containers."""
    try:
        return Path.home()
    except RuntimeError:
        return Path()


CACHE = home() / ".cache" / "wmlearn"
REMEDY = "Get it back with `git checkout -- data`, or install the course again."


class Entry(TypedDict):
    """One file of `MANIFEST.json`."""

    sha256: str
    licence: str
    origin: str
    made: str


def manifest(root: Path | None = None) -> dict[str, Entry]:
    """Read what every shipped file should be: path below `root`, by default `ROOT`, -> its entry."""
    from . import strict_json  # which reads files by this module

    path = (root or ROOT) / "MANIFEST.json"
    return dict(_entries(path, read(path, most=strict_json.MOST_BYTES)))


@lru_cache(maxsize=2)  # each shipped file that is read asks for it
def _entries(path: Path, raw: bytes) -> dict[str, Entry]:
    from . import strict_json

    try:
        entries = strict_json.parsed(raw)
    except DataError as error:
        raise DataError(f"{path} must be a JSON file, got: {error}. {REMEDY}") from error
    if not isinstance(entries, dict):
        raise DataError(f"{path} must map names to entries, got a {type(entries).__name__}. {REMEDY}")
    for name, entry in entries.items():
        _check_entry(path, name, entry)
    return entries


def _check_entry(path: Path, name: str, entry: object) -> None:
    wanted = Entry.__annotations__.keys()
    whole = isinstance(entry, dict) and entry.keys() == wanted and set(map(type, entry.values())) == {str}
    if not whole:
        rule = f"{path} must say {', '.join(sorted(wanted))} of {name!r}"
        raise DataError(f"{rule}, got something else. {REMEDY}")


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


def read(path: Path, *, most: int | None = None, fix: str = REMEDY) -> bytes:
    """Read a file; raise `DataError` with the remedy `fix` when that fails, or for more than `most` bytes.

    A pipe or a device is refused: it may never end.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise DataError(f"{path} must be a file, got a pipe or a device. {fix}")
        with path.open("rb") as file:
            raw = file.read() if most is None else file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise DataError(f"{path} must be readable, got: {_why(error)}. {fix}") from error
    if most is not None and len(raw) > most:
        raise DataError(f"{path} must have at most {most:,} bytes, got more. {fix}")
    return raw


def write(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write `content` whole or not at all: to a temporary file beside `path`, then rename.

    What is not `lasting` survives the end of the program, but perhaps no power failure; it takes a
    millisecond where the disk would take many.
    """
    whole_or_nothing(path, lambda temporary: temporary.write_bytes(content), lasting=lasting)


def new(path: Path, make: Callable[[Path], object], *, mode: int | None = None) -> None:
    """Let `make` write a file that must not be there yet, whole or not at all; of two at once, one wins.

    Raises `DataError` where `path` is there, be it a link that leads nowhere: what is there stays.
    """
    try:
        _written(path, make, mode, _link)
    except FileExistsError as error:
        raise DataError(
            f"{path} must not be there yet, got a file that stays as it is. Name another file."
        ) from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def whole_or_nothing(
    path: Path, make: Callable[[Path], object], *, mode: int | None = None, lasting: bool = True
) -> None:
    """Let `make` write to a temporary path beside `path`, then rename; on a failure nothing stays behind.

    What is `lasting` is on the disk, even when the power fails the next moment. Without a `mode` the file
    gets that of any new file, as the umask says; one that holds a secret needs `PRIVATE`.
    """
    try:
        _written(path, make, mode, os.replace, lasting=lasting)
    except (OSError, ValueError) as error:
        # ValueError: a name that no file can have; one that `make` raises is the caller's
        if isinstance(error, ValueError) and "null byte" not in str(error):
            raise
        raise _unwritable(path, error) from error


def _written(
    path: Path,
    make: Callable[[Path], object],
    mode: int | None,
    settle: Callable[[Path, Path], object],
    *,
    lasting: bool = True,
) -> None:
    """Write beside `path`, to the disk, and let `settle` give the name."""
    with folders_for(path):
        _settled(path, make, mode, settle, lasting=lasting)


def _settled(
    path: Path,
    make: Callable[[Path], object],
    mode: int | None,
    settle: Callable[[Path, Path], object],
    *,
    lasting: bool,
) -> None:
    handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(PRIVATE)  # which a strict umask may have taken from ourselves
        make(temporary)
        temporary.chmod(0o666 & ~_umask() if mode is None else mode)
        if lasting:
            _sync(temporary)
        settle(temporary, path)
        if lasting:
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    """Give a file a name that nobody has; raise `FileExistsError` where somebody has it."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links: hold the name first, then fill it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, PRIVATE))
        temporary.replace(path)


def _prefix(path: Path) -> str:
    """Return how the name of a temporary file begins, so that it is no longer than `path`'s own may be."""
    return f".{path.name[:60]}."


def _umask() -> int:
    """Read which rights new files don't get; there is no other way to read it than to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name != "posix":  # Windows keeps its folders by itself, and opens none
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def folders_for(path: Path) -> Iterator[None]:
    """Make the folders above `path` that aren't there; those that are still empty in the end go again."""
    missing = [folder for folder in path.parents if not os.path.lexists(folder)]  # the deepest first
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in missing:
            with suppress(OSError):  # it holds something now
                folder.rmdir()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold `path`, a file or a folder that resumes, against other runs for as long as the context lasts.

    A folder that was made for it goes again if nothing was written. Raises `DataError` where another run
    holds it for `PATIENCE` seconds, or nothing can be written there.
    """
    lock = FileLock(path.with_name(f".{path.name[:60]}.lock"), timeout=PATIENCE)
    with ExitStack() as stack:
        _acquire(lock, path, stack)
        try:
            yield
        finally:
            Path(lock.lock_file).unlink(missing_ok=True)  # while it is held, so that nobody holds another's
            lock.release()


def _acquire(lock: FileLock, path: Path, stack: ExitStack) -> None:
    """Hold `path`, in folders that are made for it; the `stack` clears up those that stay empty."""
    try:
        stack.enter_context(folders_for(path))
        lock.acquire()
    except Timeout as error:
        fix = "Wait until it has ended, or name another place."
        raise DataError(f"{path} must be written by one run at a time, got a second one. {fix}") from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def new_folder(path: Path, fill: Callable[[Path], object]) -> None:
    """Let `fill` write into a folder that must not be there yet, whole or not at all; only its owner may
    enter it. Raises `DataError` where `path` is there, or can't be written.
    """
    check_new_folder(path)
    place = {"prefix": _prefix(path), "suffix": ".part", "dir": path.parent}
    try:
        with folders_for(path), tempfile.TemporaryDirectory(**place) as temporary:
            whole = Path(temporary) / "whole"
            whole.mkdir(mode=0o700)
            fill(whole)
            whole.rename(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def check_new_folder(path: Path) -> None:
    """Raise the `DataError` of `new_folder` now, before long work whose result is to go there."""
    if os.path.lexists(path):
        raise DataError(
            f"{path} must not be there yet, got something that stays as it is. Name a new folder."
        )
    check_writable(path)


def set_aside(path: Path) -> Path:
    """Rename a damaged file to a name that is free, NAME.damaged or NAME.damaged-2, and return that."""
    number = 1
    aside = path.with_name(f"{path.name}.damaged")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
    try:
        path.replace(aside)
    except OSError as error:
        raise _unwritable(path, error) from error
    return aside


def warn_of_readers(path: Path) -> None:
    """Warn with `SecretWarning` when others than its owner may read the file of a secret."""
    if os.name != "posix":
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        says = f"{path} holds a secret, and others may read it (mode {mode:04o}). Run `chmod 600 {path}`."
        warnings.warn(says, SecretWarning, stacklevel=3)


def check_writable(path: Path) -> None:
    """Raise the `DataError` of `write` now, before long work whose result is to go there; leave nothing."""
    place = {"prefix": _prefix(path), "suffix": ".part", "dir": path.parent}
    try:
        with folders_for(path), tempfile.NamedTemporaryFile(**place):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> DataError:
    fix = "Free some space, or name another folder."
    return DataError(f"{path} must be writable, got: {_why(error)}. {fix}")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


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
