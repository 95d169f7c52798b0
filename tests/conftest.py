"""What all tests share: MNIST, a small part of it, photographs of signs, one thread, a home of their own.

The package is imported where it is needed: the process that hands out the tests reads this file, too, and has
no use for it.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import wmlearn as wm

settings.register_profile(
    "course",
    database=None,  # nothing is left behind
    deadline=None,  # a busy machine is no fault
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("course")


def _keep_freed_memory() -> None:
    """Let this process and those it starts keep what they free, where the system's allocator is glibc's.

    Every step of a training frees what the next one asks for. Handed back to the system and asked for anew,
    with each page empty, that memory takes a tenth of a training's time; the numbers are the same.
    """
    if not sys.platform.startswith("linux"):
        return
    trim, mmap, gigabyte = -1, -3, 1 << 30  # as <malloc.h> numbers them
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL("libc.so.6")
        allocator.mallopt(trim, gigabyte)
        allocator.mallopt(mmap, gigabyte)
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(gigabyte))
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(gigabyte))


_keep_freed_memory()
PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "gtsrb-32px.tar.xz"
UNPACKED = Path.home() / ".cache" / "wmlearn" / "test-gtsrb"
HOUSE = "tests/house/"
LONG = (f"{HOUSE}test_wheel", f"{HOUSE}test_torchvision")  # seconds each


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the house last, and what is long there before the rest of it: two workers end together when what
    is left at the end is small.
    """
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, bool]:
    return item.nodeid.startswith(HOUSE), not item.nodeid.startswith(LONG)


def pytest_unconfigure() -> None:
    """Look for garbage once: pytest looks five times before it ends, each time through all of PyTorch."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while all is imported, nor among it afterwards: each look takes half a second. Then
    look seldom: what tests leave behind is little.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000)  # new objects; the usual 700 cost a fiftieth of the run
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import torch

    before = os.environ.get("WMLEARN_HOME")
    threads = torch.get_num_threads()
    os.environ["WMLEARN_HOME"] = str(tmp_path_factory.mktemp("home"))
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    os.environ.pop("WMLEARN_HOME")
    if before is not None:
        os.environ["WMLEARN_HOME"] = before


@pytest.fixture(scope="session", autouse=True)
def _unpacked_once() -> Iterator[None]:
    """Let this process unpack what ships once: MNIST takes a third of a second. Nobody changes it."""
    from wmlearn import data

    with pytest.MonkeyPatch.context() as patch:
        for name in data.SHIPPED:
            patch.setitem(data.LOADERS, name, _once(data.LOADERS[name]))
        yield


def _once(loader: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loader that reads what ships once, and anew what lies in another folder."""
    from wmlearn.data import files

    unpacked = cache(partial(loader, None, False))
    place = files.ROOT

    def load(root: Path | None, download: bool) -> Any:
        ships = root is None and place == files.ROOT
        return unpacked() if ships else loader(root, download)

    return load


@pytest.fixture(scope="session", autouse=True)
def _built_once() -> Iterator[None]:
    """Keep Typer's commands: it builds all of them anew for every line, most of a short one's time."""
    from typer import main, testing

    built = cache(main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "get_command", built)
        patch.setattr(testing, "_get_command", built, raising=False)  # no promise of Typer's
        yield


@pytest.fixture(scope="session", autouse=True)
def _seeded_at_once() -> Iterator[None]:
    """Seed the processor's generator alone where there is no GPU: PyTorch notes for each of the others from
    which line it was called, and that takes longer than to make a small network.
    """
    import torch

    with pytest.MonkeyPatch.context() as patch:
        if not torch.cuda.is_available():
            for place in (torch, torch.random):
                patch.setattr(place, "manual_seed", torch.default_generator.manual_seed)
        yield


@pytest.fixture(autouse=True)
def _drawn_alike() -> None:
    """Let each test draw the same from PyTorch's own generator, whatever ran before it."""
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="module")
def ready_cluster(processes: Any) -> Iterator[None]:
    """Let the processes of a local Dask cluster part from a ready one, too, where the system can."""
    config = pytest.importorskip("dask.config")
    pytest.importorskip("distributed")
    if processes.get_start_method() != "forkserver":
        yield
        return
    from multiprocessing import forkserver  # not everywhere

    forkserver.ensure_running()  # before Dask names what its processes import
    with config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield


AtOnce = Callable[..., list[str]]
IN_A_PROCESS = """
import contextlib, os, sys
os.environ.clear()
os.environ.update(environment)
sys.argv[1:] = words
with open(printed, "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
    exec(code, {"__name__": "__main__"})
"""


@pytest.fixture(scope="session")
def processes() -> Any:
    """Return what starts processes; where the system can, they part from one that has imported the package:
    that takes five seconds.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from wmlearn.course.classroom import running

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wmlearn.cli", *running.SLOW])
    return context


@pytest.fixture
def ready_processes(processes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `jobs=2` part from a process that has imported the package: for tests of what two jobs do. That
    they start by themselves, too, tests/test_parallel.py asks.
    """
    from wmlearn import parallel

    names = {"get_context": lambda _: processes, "active_children": multiprocessing.active_children}
    monkeypatch.setattr(parallel, "multiprocessing", SimpleNamespace(**names))


@pytest.fixture(scope="session")
def at_once(processes: Any) -> AtOnce:
    """Return what runs code in several processes at the same time, and returns what each of them prints:
    `at_once(CODE, WORDS, WORDS)`, the words for `sys.argv[1:]`; each must end with the exit code `ends`.
    """

    def at_once(code: str, *words: Sequence[object], ends: int = 0) -> list[str]:
        running = []
        with tempfile.TemporaryDirectory() as folder:
            printed = [Path(folder, str(i)) for i in range(len(words))]
            for own, path in zip(words, printed, strict=True):
                told = {"environment": dict(os.environ), "words": [str(word) for word in own]}
                told |= {"printed": str(path), "code": code}
                running.append(processes.Process(target=exec, args=(IN_A_PROCESS, told)))
            for process in running:
                process.start()
            for process in running:
                process.join(900)
            assert [process.exitcode for process in running] == [ends] * len(words)
            return [path.read_text(encoding="utf-8") for path in printed]

    return at_once


FORGETS = """
import sys
for name in list(sys.modules):
    if name.split(".")[0] == "wmlearn":
        del sys.modules[name]
"""


@pytest.fixture(scope="session")
def anew(at_once: AtOnce) -> Callable[..., str]:
    """Return what runs code in a process that has not imported the package, but what takes longest to import,
    and returns what it prints: `anew(CODE, WORD, WORD)`.
    """

    def anew(code: str, *words: object) -> str:
        [printed] = at_once(FORGETS + code, words)
        return printed

    return anew


@pytest.fixture(scope="session")
def mnist() -> wm.Splits:
    import wmlearn as wm

    return wm.load("mnist")


@pytest.fixture(scope="session")
def few(mnist: wm.Splits) -> wm.Samples:
    return mnist.train[:2000]


@pytest.fixture(scope="session")
def photographs() -> wm.Splits:
    """Load the real photographs (GTSRB, the final training set, 32 x 32); skip where they are missing."""
    if not UNPACKED.is_dir():
        if not PHOTOGRAPHS.is_file():
            pytest.skip(f"the real photographs are not here: neither {UNPACKED} nor {PHOTOGRAPHS}")
        _unpack()
    import wmlearn as wm

    return wm.load("gtsrb", root=UNPACKED)


def _unpack() -> None:
    """Unpack the photographs beside their place, then rename: what has the name is whole."""
    UNPACKED.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=UNPACKED.parent, prefix=".test-gtsrb.") as temporary:
        whole = Path(temporary) / "whole"
        with tarfile.open(PHOTOGRAPHS) as archive:
            archive.extractall(whole, filter="data")
        try:
            whole.replace(UNPACKED)
        except OSError:
            assert UNPACKED.is_dir()  # another run was faster
