"""Functions fit a screen, and give back one thing by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rooms import MODULES, label, room, tree

MOST_LINES = 50
Function = ast.FunctionDef | ast.AsyncFunctionDef
NO_LESSONS = [path for path in MODULES if room(path) != "course"]
"""Without the cases of exercises, which are tables, and what lessons hand on to a widget at once."""


def _functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_a_function_fits_a_screen(path: Path) -> None:
    assert [function.name for function in _functions(path) if _length(function) > MOST_LINES] == []


def _length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@pytest.mark.parametrize("path", NO_LESSONS, ids=label)
def test_a_function_returns_a_named_thing_rather_than_three(path: Path) -> None:
    assert [function.name for function in _functions(path) if _returns_three(function)] == []


def _returns_three(function: Function) -> bool:
    results = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return any(isinstance(result, ast.Tuple) and len(result.elts) > 2 for result in results)
