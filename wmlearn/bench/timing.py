"""One line of a report, and what measures it."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

import torch

T = TypeVar("T")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Timing:
    """One line: a time, or a number that belongs beside it; no value where `note` says what is missing."""

    what: str
    value: float | None
    unit: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.what:52}{_said(self.value):>10} {self.unit:8} {self.note}".rstrip()


def _said(value: float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.005 else f"{value:.1e}"


def document(part: str, lines: Iterable[Timing]) -> dict[str, Any]:
    """Return a report as JSON values, with the versions and the machine that it holds for."""
    return {
        "part": part,
        "wmlearn": version("wmlearn"),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "lines": [asdict(line) for line in lines],
    }


@dataclass(frozen=True)
class Measured(Generic[T]):
    """What work returned, and how long it took."""

    result: T
    seconds: float


def measure(work: Callable[[], T], device: torch.device = CPU) -> Measured[T]:
    """Time `work`, until `device` has done all of it."""
    began = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # a GPU is handed its work, and goes on alone
    return Measured(result, time.perf_counter() - began)


def fastest(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the seconds of the fastest of `repeats` runs: the others waited for something else."""
    return min(measure(work, device).seconds for _ in range(repeats))


def installed(*packages: str) -> bool:
    """Say whether all packages can be imported, without importing one."""
    return all(find_spec(package) for package in packages)


def missing(what: str, extra: str) -> Timing:
    """Return the line of what can't be measured without an extra."""
    return Timing(what, None, note=f'not measured: it needs pip install -e ".[{extra}]"')


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread for a while, as a service on a shared machine would."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Let the logger `name` speak of errors only for a while."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
