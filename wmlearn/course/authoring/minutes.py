"""How long a machine takes for a lesson: measured, and kept in `teaching/minutes.json`.

For maintainers: `python -m wmlearn.course.authoring.minutes NAME…` measures lessons again.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import TypedDict

import torch

from ...data import files, strict_json
from ...training import best_device, has_bf16
from .build import executed, masters


class Minutes(TypedDict):
    """What one run of a lesson took, in seconds of processor time, and with what."""

    processor: int
    threads: int
    precision: str
    torch: str


def path(root: Path) -> Path:
    """Return where the measurements lie."""
    return root / "teaching" / "minutes.json"


def measured(root: Path) -> dict[str, Minutes]:
    """Read what was measured: lesson -> minutes; a lesson that nobody measured isn't there."""
    found = strict_json.read(path(root)) if path(root).exists() else {}
    assert isinstance(found, dict)
    return {name: found[name] for name in masters(root) if name in found}


def measure(name: str, root: Path) -> Minutes:
    """Run a lesson from top to bottom, with the exercises unsolved, and remember no network."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    executed(name, root)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "processor": round(processor),
        "threads": int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())),
        "precision": "bfloat16" if has_bf16(best_device()) else "float32",
        "torch": torch.__version__,
    }


def main(names: list[str]) -> None:
    """Measure lessons, all of them where none is named, and write what each took."""
    root = files.ROOT.parent
    for name in names or masters(root):
        minutes = {**measured(root), name: measure(name, root)}
        text = json.dumps(dict(sorted(minutes.items())), indent=1)
        files.write(path(root), f"{text}\n".encode())
        print(name, minutes[name])


if __name__ == "__main__":
    main(sys.argv[1:])
