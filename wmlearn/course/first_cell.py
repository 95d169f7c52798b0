"""The first cell of every notebook: what runs here, and whether the data is what we think it is."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch

from .. import memory, progress
from ..data.files import checked, damaged
from ..training import best_device, has_bf16
from . import record


def start(notebook: str) -> None:
    """Print versions, device and data checks, and make runs repeatable: one thread, deterministic algorithms.

    Long work shows a bar from now on, but for runs whose outputs are kept or compared: they set
    WMLEARN_QUIET. In the learner's own folder, networks that were trained once are remembered; elsewhere
    where WMLEARN_MEMORY names a folder for them. With WMLEARN_RETRAIN, each is trained once more. While
    a class is graded, nothing is checked and printed.
    """
    _show_bars()
    memory.keep(_memory(), recalls="WMLEARN_RETRAIN" not in os.environ)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)  # a few GPU kernels have no such variant
    # fresh memory would be filled for whoever reads it before writing: nobody does, and it takes a tenth of a
    # training
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyrefly: ignore[missing-attribute]
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return
    versions = f"wmlearn {version('wmlearn')} · PyTorch {torch.__version__}"
    print(f"Notebook {notebook} · {versions} · Python {platform.python_version()}")
    print(f"{_device()} · {checked() if damaged() else 'data files whole'}")


def _show_bars() -> None:
    from tqdm import tqdm  # only in notebooks: wmlearn draws nothing by itself

    # in letters, not as a widget: a saved notebook would ask for a widget that is gone
    progress.watch(None if "WMLEARN_QUIET" in os.environ else partial(tqdm, file=sys.stdout, ncols=80))


def _memory() -> Path | None:
    """Name the folder of remembered networks, None where nothing is to be remembered."""
    if "WMLEARN_MEMORY" in os.environ:
        return Path(os.environ["WMLEARN_MEMORY"]).expanduser()
    in_the_learners_folder = Path.cwd().resolve() == record.home().resolve()
    return record.home() / "memory" if in_the_learners_folder else None


def _device() -> str:
    device = best_device()
    name = f"{processor()}, 1 thread" if device.type == "cpu" else torch.cuda.get_device_name(device)
    return f"{name}, {'bfloat16' if has_bf16(device) else 'float32'}"


def processor() -> str:
    """Name the processor as the system does: on another one, the last digits of a training may differ."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
