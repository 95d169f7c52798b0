"""Look at this machine and say what runs here, what is missing, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from importlib.util import find_spec

import torch
from packaging.requirements import Requirement  # comes with jupyterlab and matplotlib
from packaging.specifiers import SpecifierSet

from ..data import files
from ..data.files import checked, damaged
from ..errors import DataError, require_torchvision
from ..training import best_device, has_bf16

INSTALL = "pip install -e ."
PURPOSE = {  # of an extra; of others, "optional"
    "signs": "only for notebook 04 and to fetch data",
    "serve": "only for notebook 11 and to serve a model",
    "tables": "only for notebook 13 and models of tables",
    "intake": "only for notebook 15 and to check models that arrive",
}
FETCHED = ("fashion-mnist", "cifar10", "gtsrb", "spoken-digits")  # what doesn't ship with the course
ROOM = 0.5  # GiB that a class of results and pictures may fill


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fix` says how to mend what is wrong, "" when nothing is."""

    what: str
    state: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing needs mending."""
        return not self.fix


def examine() -> Iterator[Finding]:
    """Yield what there is, good and bad."""
    yield _python()
    for requirement in needed():
        yield _package(requirement)
    for extra in metadata("wmlearn").get_all("Provides-Extra") or []:
        yield _extra(extra)
    if find_spec("torchvision"):
        yield _torchvision()
    yield _threads()
    yield _precision()
    yield _gpu()
    yield Finding("data", f"{checked()} in {files.ROOT}", files.REMEDY if damaged() else "")
    for name in FETCHED:
        missing = f"not fetched (optional): wmlearn data fetch {name}"
        yield Finding(name, "fetched" if (files.CACHE / name).exists() else missing)
    yield _disk()


def needed() -> list[Requirement]:
    """Return what the course needs, by its metadata."""
    return [requirement for requirement in _requirements() if _applies(requirement, "")]


def added(extra: str) -> list[Requirement]:
    """Return what `extra` adds to that."""
    others = [requirement for requirement in _requirements() if not _applies(requirement, "")]
    return [requirement for requirement in others if _applies(requirement, extra)]


def _requirements() -> list[Requirement]:
    return [Requirement(line) for line in requires("wmlearn") or []]


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _fault(requirement: Requirement) -> str:
    """Say what is wrong with an installed package, "" for nothing."""
    try:
        fits = requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return "missing"
    return "" if fits else f"{version(requirement.name)}, but it must be {requirement.specifier}"


def _package(requirement: Requirement) -> Finding:
    fault = _fault(requirement)
    if fault:
        return Finding(requirement.name, fault, INSTALL)
    return Finding(requirement.name, version(requirement.name))


def _extra(extra: str) -> Finding:
    """Look for what an extra adds; most lessons need none, so nothing here is wrong."""
    lacking = [requirement.name for requirement in added(extra) if _fault(requirement)]
    if not lacking:
        return Finding(f"extra {extra}", "installed")
    purpose = PURPOSE.get(extra, "optional")
    without = f"without {', '.join(lacking)} ({purpose})"
    return Finding(f"extra {extra}", f'{without}: pip install -e ".[{extra}]"')


def _torchvision() -> Finding:
    """Look whether the torchvision that is installed was built for this PyTorch."""
    try:
        require_torchvision("Notebook 04")
    except DataError:
        return Finding("torchvision", "does not fit PyTorch", "Install both from the same index.")
    return Finding("torchvision", version("torchvision"))


def _python() -> Finding:
    asked = metadata("wmlearn")["Requires-Python"]
    fits = SpecifierSet(asked).contains(platform.python_version(), prereleases=True)
    return Finding("Python", platform.python_version(), "" if fits else f"Use Python {asked}.")


def _threads() -> Finding:
    threads = torch.get_num_threads()
    cores = os.cpu_count() or 1
    fix = "Unset OMP_NUM_THREADS." if threads > cores else ""
    return Finding("threads", f"{threads} of {cores} cores", fix)


def _precision() -> Finding:
    if has_bf16(torch.device("cpu")):
        return Finding("precision on the CPU", "bfloat16, native")
    slower = "float32 (no native bfloat16: right, about 1.5 times slower)"
    return Finding("precision on the CPU", slower)


def _gpu() -> Finding:
    device = best_device()
    if device.type == "cuda":
        return Finding("GPU", torch.cuda.get_device_name(device))
    return Finding("GPU", "none: everything runs on the CPU")


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    return Finding("free disk", f"{free:.1f} GiB", "" if free > ROOM else "Free half a gigabyte.")
