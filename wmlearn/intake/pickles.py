"""What a pickle would call, what a scanner says of it, and what it does, opened where it can do little.

A pickle is a program: GLOBAL and STACK_GLOBAL fetch any function, REDUCE calls it. Reading its opcodes runs
nothing. The scanner is picklescan, with its own list of functions: dangerous, known, and all others.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickletools
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from .signatures import INSTALL

WORKER = Path(__file__).with_name("pickle_worker.py")
LARGEST = 2**26  # bytes of the pickle itself; a checkpoint's numbers lie beside it
PATIENCE = 20.0  # seconds
STRINGS = (
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
)
FETCHED = ("GET", "BINGET", "LONG_BINGET")
KEPT = ("PUT", "BINPUT", "LONG_BINPUT")


def pickle_in(raw: bytes) -> bytes:
    """Return the pickle in a file: the file itself, or `data.pkl` in a checkpoint of PyTorch.

    Raises `DataError` for an archive that is damaged, or holds none.
    """
    if not raw.startswith(b"PK\x03\x04"):
        return raw
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [name for name in archive.namelist() if name.endswith("data.pkl")]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > LARGEST:
                raise DataError(f"a checkpoint must hold one small data.pkl, got {len(names)}.")
            return archive.read(names[0])
    except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise DataError(f"a checkpoint must be a whole archive, got: {error}.") from error


def globals_in(raw: bytes) -> list[str]:
    """Name what a pickle would import, such as "os.system", in order, without running it.

    Raises `DataError` for bytes that are no pickle.
    """
    names: list[str] = []
    said: list[str] = []  # strings in the order in which they are put on the stack
    memory: dict[int, str] = {}
    try:
        for opcode, argument, _ in pickletools.genops(raw):
            if opcode.name in STRINGS:
                said.append(str(argument))
            elif opcode.name in FETCHED:
                said.append(memory.get(int(argument or 0), ""))
            elif opcode.name == "MEMOIZE":
                memory[len(memory)] = said[-1] if said else ""
            elif opcode.name in KEPT:
                memory[int(argument or 0)] = said[-1] if said else ""
            elif opcode.name in ("GLOBAL", "INST"):
                names.append(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                names.append(".".join(said[-2:]))
    except (ValueError, IndexError, OverflowError) as error:
        raise DataError(f"a pickle must be whole, got: {str(error).splitlines()[0]}.") from error
    return names


def _is_whole(raw: bytes) -> bool:
    try:
        globals_in(raw)
    except DataError:
        return False
    return True


def _printable_globals(raw: bytes) -> list[str]:
    names = globals_in(raw) if _is_whole(raw) else []
    return [name for name in names if name.isprintable()]


@dataclass(frozen=True)
class PickleScan:
    """What picklescan makes of the functions that a pickle fetches."""

    dangerous: tuple[str, ...]
    unknown: tuple[str, ...]  # on neither of its lists; picklescan itself doesn't count them as issues
    damaged: bool


def scan_pickle(raw: bytes) -> PickleScan:
    """Scan a file that is a pickle, or a checkpoint of PyTorch; raise `DataError` without the extra."""
    try:
        from picklescan import scanner
    except ModuleNotFoundError as error:
        raise DataError(f"Scanning a pickle needs {error.name}, {INSTALL}") from error
    inner = pickle_in(raw)
    with contextlib.redirect_stderr(io.StringIO()):  # it prints that a pickle is damaged, and says no more
        result = scanner.scan_bytes(io.BytesIO(inner), "data.pkl")
    names: dict[str, list[str]] = {"dangerous": [], "suspicious": [], "innocuous": []}
    for found in result.globals:
        names[found.safety.value].append(f"{found.module}.{found.name}")
    return PickleScan(
        tuple(sorted(names["dangerous"])),
        tuple(sorted(names["suspicious"])),
        result.scan_err or not _is_whole(inner),
    )


@dataclass(frozen=True)
class Opening:
    """What a pickle asked for when it was opened, what it printed, and how that ended."""

    tried: tuple[str, ...]
    printed: str
    ended: str


def open_apart(raw: bytes) -> Opening:
    """Open a pickle in a process of its own, without environment or rights, where each wish is refused.

    No sandbox: see `pickle_worker`. Raises `DataError` for an archive without a pickle.
    """
    inner = pickle_in(raw)
    modules = {name.rpartition(".")[0] for name in _printable_globals(inner)}
    line = [sys.executable, "-I", "-S", str(WORKER), *sorted(modules)]
    with tempfile.TemporaryDirectory() as empty:
        Path(empty).chmod(0o755)
        try:
            done = subprocess.run(line, input=inner, capture_output=True, timeout=PATIENCE, cwd=empty, env={})
        except subprocess.TimeoutExpired:
            return Opening((), "", "it took too long, and was ended")
    printed = done.stderr.decode("utf-8", "replace")[:500].strip()
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        return Opening((), printed, f"its process ended with status {done.returncode}")
    return Opening(tuple(reply["tried"]), printed, reply["ended"])
