"""Imports point one way, and the science needs no lesson."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rooms import MODULES, ORDER, ROOT, SCIENCE, fresh, imports, label, room

LESSONS = {  # what a lesson or the command line needs, and no science
    "matplotlib",
    "IPython",
    "ipywidgets",
    "anywidget",
    "traitlets",
    "typer",
    "tqdm",
    "nbformat",
    "nbclient",
    "jupytext",
}
SLOW = LESSONS - {"tqdm"} | {  # PyTorch itself loads tqdm
    "torchvision",
    "scipy",
    "sqlalchemy",
    "distributed",
    "fastapi",
    "uvicorn",
    "httpx",
    "onnxruntime",
}
"""What takes a tenth of a second or more to load: whoever needs it waits for it, nobody else."""


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_imports_point_one_way(path: Path) -> None:
    importer = room(path)
    if importer == "__init__":  # the public page
        return
    above = ORDER[: ORDER.index(importer) + 1]
    for parts in imports(path):
        if parts[0] == "wmlearn":
            assert len(parts) > 1, "a module must not import the whole package"
            assert parts[1] in above, f"{importer} must not import {'.'.join(parts)}"


def test_every_room_has_one_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted({room(path) for path in MODULES} - {"__init__"})


def test_the_rule_sees_through_every_way_to_write_an_import(tmp_path: Path) -> None:
    path = tmp_path / "wmlearn" / "data" / "new.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import os.path\n"
        "from ..course import claims\n"
        "from .. import cli\n"
        "def f():\n"
        "    from .files import read\n"
    )  # fmt: skip
    assert set(imports(path, root=tmp_path)) == {
        ("os", "path"),
        ("wmlearn", "course", "claims"),
        ("wmlearn", "cli"),
        ("wmlearn", "data", "files", "read"),
    }


@pytest.mark.parametrize("path", SCIENCE, ids=label)
def test_the_science_works_without_notebooks_widgets_and_pictures(path: Path) -> None:
    assert not {parts[0] for parts in imports(path)} & LESSONS


LOADED = """
import sys
import wmlearn
print(*{name.split(".")[0] for name in sys.modules})
import wmlearn.cli
print(*{name.split(".")[0] for name in sys.modules})
"""


def test_importing_the_package_or_its_commands_loads_nothing_that_they_may_not_need() -> None:
    package, commands = fresh(LOADED).splitlines()
    assert set(package.split()) & SLOW == set()
    assert set(commands.split()) & SLOW == {"typer", "traitlets"}


THREADS = """
import os
os.environ["OMP_NUM_THREADS"] = "2"  # before PyTorch reads it
import torch

def threads():
    return len(os.listdir("/proc/self/task"))

before = threads()
import wmlearn
print(threads() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux says so")
def test_an_import_computes_nothing_that_starts_threads() -> None:
    assert fresh(THREADS).split() == ["0"], (
        "a process that is forked afterwards waits forever for PyTorch's threads"
    )


def test_what_the_page_on_the_court_calls_is_there_for_whoever_has_imported_nothing_else() -> None:
    page = (ROOT / "teaching" / "court.md").read_text(encoding="utf-8")
    called = sorted(set(re.findall(r"`(?:court = )?(?:wm\.)?(courtroom[\w.]+)\(", page)))
    assert "courtroom.dossiers.entered" in called
    assert fresh(f"import wmlearn as wm\nfor name in {called}: eval(f'wm.{{name}}')") == ""
