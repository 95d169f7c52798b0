"""A suspect in an ONNX file: known by the hash of its bytes, and run where it can be stopped.

A graph needs no code to do harm: a loop of 2^60 rounds, an array of 400 GB, weights that "are" some other
file of the judge's machine. So the file, and those beside it that it names, are copied to a folder of their
own; the copies are hashed, and a process runs them that has a limit of time and memory and can be killed. It
is no sandbox: onnxruntime itself is trusted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data import require_numbers
from ..errors import DataError
from ..evidence import NO_ANSWER

LARGEST = 2**31  # bytes: protocol buffers hold no more
MOST_FIELDS = 3_000_000
LONGEST = 2**20
"""Bytes of a reply: the logits of 40,000 classes."""
CLOSE = 1e-3
"""How far numbers that are probabilities may be from one, summed."""
TINY = 1e-12
"""In place of a probability of 0, which has no logarithm."""
WORKER = Path(__file__).with_name("onnx_worker.py")
PARTS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""Where in an ONNX file there are tensors, whose numbers may lie elsewhere: message -> field -> message.

https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A suspect in an ONNX file: called with images (N, C, H, W), it answers with labels (N,) int64.

    It is asked one image at a time. `sha256` is that of the file; where numbers lie in other files, of a list
    with the hash of each. An image that it can't read, or on which it takes longer than `seconds`, is
    `NO_ANSWER`, as with a service, and so is everything after `patience` seconds were lost that way; but
    `DataError` is raised as long as it has never answered. `logits` returns all that it says.
    """

    path: Path
    sha256: str
    seconds: float
    patience: float
    _worker: _Worker = field(repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        require_numbers(x, "a suspect in an ONNX file")
        labels = [self._label(image) for image in x.detach().cpu().float().split(1)]
        return torch.tensor(labels, dtype=torch.int64, device=x.device)

    def logits(self, x: Tensor) -> Tensor:
        """Return its logits (N, classes) for images (N, C, H, W); where it answers with probabilities, their
        logarithms.

        Raises `DataError` for a model that answers with labels, or doesn't answer an image.
        """
        try:
            rows = [self._worker.scores(image) for image in x.detach().cpu().float().split(1)]
        except _NoAnswer as error:
            raise DataError(f"{self.path} must give logits for every image, got: {error}.") from error
        widths = {len(row) for row in rows}
        if len(widths) != 1:
            raise DataError(f"{self.path} must give as many logits for each image, got {sorted(widths)}.")
        scores = torch.tensor(rows)  # (N, classes)
        is_share = (scores >= 0).all() and (scores.sum(1) - 1).abs().max() < CLOSE
        return (scores.clamp(min=TINY).log() if is_share else scores).to(x.device)

    def _label(self, x: Tensor) -> int:
        """Return the label of one image (1, C, H, W)."""
        worker = self._worker
        if worker.lost >= self.patience:
            return NO_ANSWER
        start = time.monotonic()
        try:
            label = worker.label(x)
        except _NoAnswer as error:
            worker.lost += time.monotonic() - start
            if not worker.has_answered:
                shape = tuple(x.shape)
                raise DataError(f"{self.path} must read images {shape}, got: {error}.") from error
            return NO_ANSWER
        worker.has_answered = True
        return label


def open_onnx(path: Path, seconds: float = 30.0, patience: float = 600.0) -> OnnxModel:
    """Open the model at `path`; loading it, and each answer, may take `seconds`.

    Raises `DataError` for a file that is no ONNX model, that reads anything but one image, or that refers to
    files elsewhere than in its own folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="wmlearn-onnx-"))
    try:
        sha256 = _copy(path, folder)
        worker = _Worker(folder / "model.onnx", seconds)
        worker.start()
    except _NoAnswer as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(f"{path} must be a whole ONNX model, got: {error}.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    model = OnnxModel(path, sha256, seconds, patience, worker)
    weakref.finalize(model, _end, worker, folder)
    return model


def _end(worker: _Worker, folder: Path) -> None:
    worker.stop()
    shutil.rmtree(folder, ignore_errors=True)


class _NoAnswer(Exception):
    """What a process said instead of an answer, or why it says nothing any more."""


@dataclass(eq=False)
class _Worker:
    """The process that runs one model, started again after it was killed."""

    path: Path
    seconds: float
    process: subprocess.Popen[bytes] | None = None
    has_answered: bool = False
    lost: float = 0.0

    def start(self) -> None:
        """Start the process; raise `_NoAnswer` when it can't load the model."""
        paths = [path for path in sys.path if path]  # "" would be the folder it runs in
        command = [sys.executable, "-I", str(WORKER), json.dumps(paths), str(self.path), str(self.seconds)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.path.parent,
        )
        try:
            self._talk(b"")
        except _NoAnswer:
            self.stop()
            raise

    def stop(self) -> None:
        """Kill the process."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # half a request is left in it
                continue
        self.process = None

    def label(self, x: Tensor) -> int:
        """Return what the model says to one image (1, C, H, W), or `NO_ANSWER`."""
        labels = self._asked(x).get("labels")
        if not isinstance(labels, list) or len(labels) != 1 or type(labels[0]) is not int:
            raise _NoAnswer("no label")
        return labels[0] if 0 <= labels[0] < 2**31 else NO_ANSWER

    def scores(self, x: Tensor) -> list[float]:
        """Return what the model says to one image (1, C, H, W), a number for each class."""
        rows = self._asked(x, scores=True).get("scores")
        row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
        if not isinstance(row, list) or not row or not all(type(number) is float for number in row):
            raise _NoAnswer("no logits")
        return row

    def _asked(self, x: Tensor, **wanted: bool) -> dict[str, Any]:
        """Send one image (1, C, H, W), and return the reply."""
        if self.process is None:
            self.start()
        head = json.dumps({"shape": list(x.shape), **wanted}).encode()
        return self._talk(head + b"\n" + x.numpy().astype("<f4").tobytes())

    def _talk(self, request: bytes) -> dict[str, Any]:
        """Send a request and return the reply; raise `_NoAnswer` for an error, silence, or an end."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        late = threading.Event()
        watch = threading.Timer(self.seconds, _kill, (self.process, late))
        watch.start()
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
            line = self.process.stdout.readline(LONGEST)
        except OSError:
            line = b""
        finally:
            watch.cancel()
        reply = _reply(line)
        if reply is None:
            self.stop()
            raise _NoAnswer(f"no answer in {self.seconds:g} seconds" if late.is_set() else "it crashed")
        if "error" in reply:
            raise _NoAnswer(
                "".join(letter if letter.isprintable() else "?" for letter in str(reply["error"]))
            )
        return reply


def _kill(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _reply(line: bytes) -> dict[str, Any] | None:
    try:
        reply = json.loads(line)
    except ValueError:
        return None
    return reply if isinstance(reply, dict) else None


def _copy(path: Path, folder: Path) -> str:
    """Copy a model and the files that it names to `folder`; return their common hash."""
    whole = read_regular(path, LARGEST)
    (folder / "model.onnx").write_bytes(whole)
    own = hashlib.sha256(whole).hexdigest()
    lines = [f"model {own}"]
    left = LARGEST
    for name in sorted(_external(path, whole)):
        if path.with_name(name).is_symlink():
            raise DataError(
                f"{path} must keep its numbers in files of its own folder, got the link {name!r}."
            )
        numbers = read_regular(path.with_name(name), left)
        left -= len(numbers)
        lines.append(f"{name} {hashlib.sha256(numbers).hexdigest()}")
        with (folder / name).open("xb") as copy:
            copy.write(numbers)
    return own if len(lines) == 1 else hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_regular(path: Path, most: int, n: int = -1) -> bytes:
    """Read a file of at most `most` bytes, or only its first `n`; raise `DataError` for any other, and for
    what is no file: a pipe would keep one waiting.
    """
    try:
        # a pipe opens at once this way, too
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(number, "rb") as file:
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                raise DataError(f"{path} must be a file of at most {most} bytes, and is none.")
            return file.read(most if n < 0 else n)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} must be a file that can be read, got: {why}.") from error


def _external(path: Path, whole: bytes) -> set[str]:
    """Return the names of the files in which tensors of a model say that their numbers lie."""
    try:
        names = set(_locations(whole))
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} must be a whole ONNX model, got: {error}.") from error
    for name in names:
        is_plain = name.isprintable() and Path(name).name == name and not set(name) & set("\\:*")
        if not is_plain or name in ("", ".", "..", "model.onnx") or len(name) > 200:
            raise DataError(
                f"{path} must keep its numbers in files of its own folder, got {name[:100]!r}. Save it again"
                " in one file, or with plain names."
            )
    return names


def _locations(whole: bytes) -> Iterator[str]:
    """Yield every location of numbers outside that a tensor of a model names."""
    parts = [("model", memoryview(whole))]
    n_fields = 0
    while parts:
        message, data = parts.pop()
        if message == "entry":
            yield from _location(data)
            continue
        inner = PARTS[message]
        for number, value in _fields(data):
            n_fields += 1
            if n_fields > MOST_FIELDS:
                raise ValueError(f"more than {MOST_FIELDS} fields")
            if number in inner and value is not None:
                parts.append((inner[number], value))


def _location(entry: memoryview) -> Iterator[str]:
    """Yield the values of a pair (key, value), if its key is location."""
    texts: dict[int, list[bytes]] = {1: [], 2: []}
    for number, value in _fields(entry):
        if number in texts and value is not None:
            texts[number].append(bytes(value))
    if b"location" in texts[1]:
        yield from (value.decode("utf-8") for value in texts[2])


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Yield the fields of a message in protocol buffers: number, and bytes where they have a length."""
    sizes = {1: 8, 5: 4}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        value = None
        if kind == 0:
            _, at = _varint(data, at)
        elif kind in sizes:
            at += sizes[kind]
        elif kind == 2:
            length, at = _varint(data, at)
            value = data[at : at + length]
            at += length
        else:
            raise ValueError("no protocol buffers")
        if at > len(data):
            raise ValueError("it ends too early")
        yield tag >> 3, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read a number of up to ten bytes; return it, and where it ends."""
    number = 0
    for i in range(10):
        number |= (data[at + i] & 127) << (7 * i)
        if data[at + i] < 128:
            return number, at + i + 1
    raise ValueError("no protocol buffers")
