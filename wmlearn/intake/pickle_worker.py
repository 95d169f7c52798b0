"""Opens one pickle in a process of its own, which `pickles` starts and ends: whatever the pickle asks for is
written down, and refused. It is a script: it loads neither PyTorch nor this package.

The pickle comes on stdin; on stdout goes a line of JSON: what was asked for, and how it ended. No sandbox: an
audit hook sees what Python does, and code that isn't Python can pass it by. It bounds what is harmless here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pickle
import sys
import types
from typing import Any

MEMORY = 2**30  # bytes of addresses
SECONDS = 5
NOBODY = 65534
MOST = 20  # lines that are written down
QUIET = ("os.listdir", "os.scandir", "os.getxattr", "os.listxattr", "os.walk", "os.fwalk")
WATCHED = (
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
    "pty.",
    "tempfile.",
    "webbrowser.",
    "sqlite3.",
)


def main() -> None:
    """Open what comes on stdin, and say what it asked for."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the pickle prints is no reply
    raw = sys.stdin.buffer.read()
    _stand_in("torch", "torch._utils", "torch.storage")
    tried: list[str] = []
    _watch(tried)
    _import_first(sys.argv[1:])
    _give_up_rights()
    try:
        _opened(raw)
        ended = "it was opened"
    except BaseException as error:  # SystemExit, too: a pickle may call exit
        ended = f"{type(error).__name__}: {str(error)[:200]}"
    replies.write(json.dumps({"tried": tried[:MOST], "ended": ended}) + "\n")
    replies.flush()


def _stand_in(*names: str) -> None:
    """Put empty modules where a checkpoint asks for PyTorch's."""
    for path in names:
        module = types.ModuleType(path)
        module.__getattr__ = lambda name: _nothing
        module.__path__ = []
        sys.modules[path] = module


def _import_first(names: list[str]) -> None:
    """Import modules of Python's own while they can still be read."""
    for name in names:
        if name.partition(".")[0] in sys.stdlib_module_names:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _nothing(*_: Any, **__: Any) -> None: ...


def _give_up_rights() -> None:
    """Bound time and memory, write no file, and be nobody, where the system knows such things."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        hard = resource.getrlimit(limit)[1]
        least = most if hard < 0 else min(most, hard)
        resource.setrlimit(limit, (least, least))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _watch(tried: list[str]) -> None:
    """Write down what is asked of the system from now on, and refuse it; a hook can't be taken off again."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not _writes(arguments):
            return
        if event == "open" or (event.startswith(WATCHED) and event not in QUIET):
            if len(tried) < MOST:
                tried.append(f"{event}({str(arguments[0])[:80] if arguments else ''})")
            raise PermissionError(f"{event} is refused")

    sys.addaudithook(hook)


def _writes(arguments: tuple[Any, ...]) -> bool:
    """Say whether a file is opened to write: by the letters of its mode, or by its flags."""
    mode, flags = arguments[1:3]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))


def _opened(raw: bytes) -> None:
    import io

    unpickler = pickle.Unpickler(io.BytesIO(raw))
    unpickler.persistent_load = _nothing  # the numbers of a checkpoint lie elsewhere
    unpickler.load()


if __name__ == "__main__":
    main()
