"""Functions fit a screen, and give back one thing by name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rooms import MODULES, label, room, tree

MOST_LINES = 50
Function = ast.FunctionDef | ast.AsyncFunctionDef
NO_LESSONS = [path for path in MODULES if room(path) != "course"]
"""Without the cases of exercises, which are tables, and what lessons hand on to a widget at once."""


def _functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def _places(paths: Sequence[Path], wrong: Callable[[Function], bool]) -> list[str]:
    """Return the functions of files with which something is wrong."""
    return [f"{label(path)}: {each.name}" for path in paths for each in _functions(path) if wrong(each)]


def test_every_function_fits_a_screen() -> None:
    assert _places(MODULES, _is_long) == []


def _is_long(function: Function) -> bool:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno >= MOST_LINES


def test_a_function_returns_a_named_thing_rather_than_three() -> None:
    assert _places(NO_LESSONS, _returns_three) == []


def _returns_three(function: Function) -> bool:
    results = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return any(isinstance(result, ast.Tuple) and len(result.elts) > 2 for result in results)
