"""Imports point one way, and the science needs no lesson."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rooms import LESSONS, MODULES, ORDER, SCIENCE, imports, label, room, tree


def test_imports_point_one_way() -> None:
    modules = [path for path in MODULES if room(path) != "__init__"]  # without the public page
    assert [f"{label(path)}: {told}" for path in modules for told in _upward(path)] == []


def _upward(path: Path) -> Iterator[str]:
    """Yield what a module imports of the whole package, or from a room below its own."""
    above = ORDER[: ORDER.index(room(path)) + 1]
    for parts in imports(path):
        if parts[0] == "wmlearn" and (len(parts) == 1 or parts[1] not in above):
            yield ".".join(parts)


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


def test_the_science_works_without_notebooks_widgets_and_pictures() -> None:
    used = {label(path): {parts[0] for parts in imports(path)} & LESSONS for path in SCIENCE}
    assert {name: libraries for name, libraries in used.items() if libraries} == {}


@pytest.mark.parametrize("library", ["torchvision", "sklearn", "skops"])
def test_what_most_lessons_do_not_need_is_imported_only_inside_functions(library: str) -> None:
    assert [label(path) for path in MODULES if any(f"'{library}" in line for line in _at_once(path))] == []


def _at_once(path: Path) -> list[str]:
    """Return what a module imports when it is imported itself."""
    return [ast.dump(node) for node in tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
