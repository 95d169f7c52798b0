"""The public page: it lists every public name, everything that readers are told to type is there, and nothing
else is loaded with it.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rooms import LESSONS, MODULES, PACKAGE, ROOT, fresh, label, tree

PAGE = PACKAGE / "__init__.py"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MASTERS = sorted((ROOT / "notebooks" / "source").glob("*.py"))
PAGES = [path for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md"]  # it names what has gone
TEXTS = [*MASTERS, *PAGES, *sorted((ROOT / "docs").rglob("*.md"))]
PROSE = [path for path in MODULES if path != PAGE]
"""No module writes `import wmlearn as wm`: what stands there is in messages, hints and docstrings."""
READ = {"texts": TEXTS, "notebooks": NOTEBOOKS, "messages": PROSE}
NAME = re.compile(r"(?<![\w.])wm((?:\.[A-Za-z]\w*)+)")
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
IMPORT = re.compile(r"^ *((?:from|import) wmlearn\b[^#\n]*)", re.MULTILINE)


def _imported() -> list[ast.alias]:
    nodes = [node for node in tree(PAGE).body if isinstance(node, ast.ImportFrom) and node.level]
    return [alias for node in nodes for alias in node.names]


def test_the_page_gives_every_name_a_line_of_its_own() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for alias in _imported():
        assert alias.asname == alias.name
        assert page.count(f" import {alias.name} as {alias.name}\n") == 1


def test_the_page_lists_all_that_is_public_and_nothing_else() -> None:
    assert sorted(alias.name for alias in _imported()) == _session()["public"]


def test_importing_the_package_loads_nothing_that_it_may_not_need() -> None:
    assert "wmlearn" in _session()["loaded"]
    assert set(_session()["loaded"]) & SLOW == set()


def test_commands_load_nothing_that_only_some_of_them_need() -> None:
    assert set(_session()["commands"]) & SLOW == {"typer", "traitlets"}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux says so")
def test_an_import_computes_nothing_that_starts_threads() -> None:
    assert _session()["threads"] == 0, (
        "a process that is forked afterwards waits forever for PyTorch's threads"
    )


def _text(path: Path) -> str:
    """Return what a reader sees of a file: of a notebook, its cells without their outputs."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def _names(what: str) -> dict[str, str]:
    """Return the names of wmlearn that a reader meets, and the first file with each."""
    where: dict[str, str] = {}
    for path in READ[what]:
        for name in NAME.findall(_text(path)):
            where.setdefault(name[1:], label(path))
    return where


def _called() -> list[str]:
    """Return what the page for teachers on the court calls."""
    page = (ROOT / "teaching" / "court.md").read_text(encoding="utf-8")
    return re.findall(r"`(?:court = )?(?:wm\.)?(courtroom[\w.]+)\(", page)


def _lines(what: str) -> list[str]:
    """Return the lines that import from wmlearn."""
    return sorted({line for path in READ[what] for line in IMPORT.findall(_text(path))})


@cache
def _session() -> dict[str, Any]:
    """Ask a fresh interpreter, once for all tests: what is public, and which of all names are missing, after
    `import wmlearn as wm` alone; then which lines of import fail, and why. And how many threads this import
    has started, and what is loaded after it, and after the commands.
    """
    names = sorted({name for what in READ for name in _names(what)} | set(_called()))
    lines = sorted({line for what in ("texts", "notebooks") for line in _lines(what)})
    code = f"""
import json, operator, os, sys
os.environ["OMP_NUM_THREADS"] = "2"  # before PyTorch reads it
import torch

def count():
    tasks = "/proc/self/task"  # only Linux says so
    return len(os.listdir(tasks)) if os.path.exists(tasks) else 0

def modules():
    return sorted({{name.split(".")[0] for name in sys.modules}})

before = count()
import wmlearn as wm
threads = count() - before
loaded = modules()
public = [name for name in dir(wm) if name[0] != '_']
missing, failing = [], []
for name in {names}:
    try:
        operator.attrgetter(name)(wm)
    except AttributeError:
        missing.append(name)
import wmlearn.cli
commands = modules()
for line in {lines}:
    try:
        exec(line)
    except ImportError as problem:
        failing.append(f"{{line}} {{problem}}")
loads = dict(loaded=loaded, commands=commands, threads=threads)
print(json.dumps(dict(public=public, missing=missing, failing=failing, **loads)))
"""
    return json.loads(fresh(code))


@pytest.mark.parametrize("what", READ)
def test_every_name_that_a_reader_meets_is_there_in_a_fresh_session(what: str) -> None:
    """After `import wmlearn as wm` alone; a name that only another import puts there doesn't count."""
    where = _names(what)
    assert where
    assert [f"{where[name]}: wm.{name}" for name in _session()["missing"] if name in where] == []


def test_what_the_page_on_the_court_calls_is_there_for_whoever_has_imported_nothing_else() -> None:
    assert "courtroom.dossiers.entered" in _called()
    assert set(_called()) & set(_session()["missing"]) == set()


@pytest.mark.parametrize("what", ["texts", "notebooks"])
def test_every_import_that_a_reader_meets_works(what: str) -> None:
    lines = _lines(what)
    assert lines
    assert [told for told in _session()["failing"] if told.startswith(tuple(lines))] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("wm.load('mnist').train", [".load"]),
        ("`wm.evidence.judge`, wm.poison.", [".evidence.judge", ".poison"]),
        ("wmlearn.errors, swm.x, a.wm.x, wm._x, the wm. And", []),
    ],
)
def test_the_rule_sees_the_names_in_a_text(text: str, names: list[str]) -> None:
    assert NAME.findall(text) == names
