"""Look at this machine and say what runs here, what is missing, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from ..data import files
from ..data.files import checked, damaged
from ..training import best_device, has_bf16

NEEDED = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "pillow",
    "safetensors",
    "pycocotools",
    "matplotlib",
    "jupyterlab",
    "ipywidgets",
    "anywidget",
    "tqdm",
    "typer",
)
OPTIONAL = {
    "pytest": "test",
    "pytest-xdist": "test",
    "nbval": "test",
    "jupytext": "test",
    "playwright": "dev",
    "adversarial-robustness-toolbox": "bench",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fix` says how to mend what is wrong, "" when nothing is."""

    what: str
    found: str
    ok: bool = True
    fix: str = ""


def examine() -> Iterator[Finding]:
    """Yield what was found, good and bad."""
    supported = (3, 10) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "Python", platform.python_version(), supported, "" if supported else "Use Python 3.10 to 3.13."
    )
    for name in NEEDED:
        yield _package(name, required=True, fix="pip install -e .")
    for name, extra in OPTIONAL.items():
        yield _package(name, required=False, fix=f'pip install -e ".[{extra}]"')
    device, cores = best_device(), os.cpu_count() or 1
    threads = torch.get_num_threads()
    yield Finding(
        "threads",
        f"{threads} of {cores} cores",
        threads <= cores,
        "" if threads <= cores else "Unset OMP_NUM_THREADS.",
    )
    native = has_bf16(torch.device("cpu"))
    yield Finding(
        "precision on the CPU",
        "bfloat16, native" if native else "float32 (no native bfloat16: right, about 1.5 times slower)",
    )
    yield Finding(
        "GPU",
        torch.cuda.get_device_name(device) if device.type == "cuda" else "none: everything runs on the CPU",
    )
    yield Finding("data", f"{checked()} in {files.ROOT}", not damaged(), files.REMEDY if damaged() else "")
    for name in ("fashion-mnist", "gtsrb"):
        here = (files.CACHE / name).exists()
        yield Finding(name, "fetched" if here else f"not fetched (optional): wmlearn data fetch {name}")
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    yield Finding("free disk", f"{free:.1f} GiB", free > 0.5, "" if free > 0.5 else "Free half a gigabyte.")


def _package(name: str, *, required: bool, fix: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(
            name,
            "missing" if required else f"not installed (optional): {fix}",
            not required,
            fix if required else "",
        )
