"""The public page: it lists every public name, and everything that readers are told to type is there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from rooms import MODULES, PACKAGE, ROOT, fresh, label, tree

PAGE = PACKAGE / "__init__.py"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MASTERS = sorted((ROOT / "notebooks" / "source").glob("*.py"))
PAGES = [path for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md"]  # it names what has gone
TEXTS = [*MASTERS, *PAGES, *sorted((ROOT / "docs").rglob("*.md"))]
PROSE = [path for path in MODULES if path != PAGE]
"""No module writes `import wmlearn as wm`: what stands there is in messages, hints and docstrings."""
NAME = re.compile(r"(?<![\w.])wm((?:\.[A-Za-z]\w*)+)")
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
    public = fresh("import wmlearn; print(*[name for name in dir(wmlearn) if name[0] != '_'])")
    assert sorted(alias.name for alias in _imported()) == public.split()


def _text(path: Path) -> str:
    """Return what a reader sees of a file: of a notebook, its cells without their outputs."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


@pytest.mark.parametrize("paths", [TEXTS, NOTEBOOKS, PROSE], ids=["texts", "notebooks", "messages"])
def test_every_name_that_a_reader_meets_is_there_in_a_fresh_session(paths: list[Path]) -> None:
    """After `import wmlearn as wm` alone; a name that only another import puts there doesn't count."""
    where = {}
    for path in paths:
        for name in NAME.findall(_text(path)):
            where.setdefault(name[1:], label(path))
    assert where
    code = f"""
import operator, wmlearn as wm
for name in {sorted(where)}:
    try:
        operator.attrgetter(name)(wm)
    except AttributeError:
        print(name)
"""
    assert [f"{where[name]}: wm.{name}" for name in fresh(code).split()] == []


@pytest.mark.parametrize("paths", [TEXTS, NOTEBOOKS], ids=["texts", "notebooks"])
def test_every_import_that_a_reader_meets_works(paths: list[Path]) -> None:
    lines = sorted({line for path in paths for line in IMPORT.findall(_text(path))})
    assert lines
    code = f"""
for line in {lines}:
    try:
        exec(line)
    except ImportError as problem:
        print(line, problem)
"""
    assert fresh(code) == ""


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
