"""One thought a line: what makes a statement dense is found, and not let in.

`python tests/house/test_statements.py PATH…` lists the places in the files whose path contains one of PATH.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from rooms import MODULES, label, tree

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Place(NamedTuple):
    """One dense expression."""

    kind: str
    line: int


def dense(module: ast.Module) -> Iterator[Place]:
    """Yield every dense expression of a module."""
    for node in ast.walk(module):
        kind = _kind(node)
        if kind:
            yield Place(kind, node.lineno)  # pyrefly: ignore[missing-attribute]


def _kind(node: ast.AST) -> str:
    if isinstance(node, COMPREHENSIONS) and _holds(node, COMPREHENSIONS):
        return "nested comprehension"
    if isinstance(node, COMPREHENSIONS) and _holds(node, ast.NamedExpr):
        return "walrus in a comprehension"
    if isinstance(node, ast.IfExp) and _holds(node, ast.IfExp):
        return "nested conditional"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return "text times a truth value" if _text_times_truth(node.left, node.right) else ""
    if isinstance(node, ast.Assign) and _parallel(node):
        return "parallel assignment"
    return ""


def _holds(node: ast.AST, kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> bool:
    return any(isinstance(child, kinds) for child in ast.walk(node) if child is not node)


def _text_times_truth(left: ast.expr, right: ast.expr) -> bool:
    text = any(_is_text(side) for side in (left, right))
    truth = any(isinstance(side, (ast.Compare, ast.BoolOp)) or _is_negation(side) for side in (left, right))
    return text and (truth or not any(_is_count(side) for side in (left, right)))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_negation(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_count(node: ast.expr) -> bool:
    """Return whether it is a number, arithmetic or a call: `"-" * (width - 2)` repeats, it doesn't choose."""
    number = isinstance(node, ast.Constant) and isinstance(node.value, int)
    return number or isinstance(node, (ast.BinOp, ast.Call))


def _parallel(node: ast.Assign) -> bool:
    """Return whether it is `a, b = x, y`, and no swap, whose two sides name the same things."""
    target = node.targets[0]
    if not (isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)):
        return False
    left = sorted(ast.unparse(part) for part in target.elts)
    right = sorted(ast.unparse(part) for part in node.value.elts)
    return left != right


def listed(paths: Iterable[Path]) -> Iterator[str]:
    """Yield every dense expression of files, with its place."""
    for path in paths:
        for place in dense(tree(path)):
            yield f"{label(path)}:{place.line}: {place.kind}"


def test_every_statement_holds_one_thought() -> None:
    assert list(listed(MODULES)) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[[b for b in a] for a in c]", "nested comprehension"),
        ("[a for a in c if (b := a)]", "walrus in a comprehension"),
        ("a if b else c if d else e", "nested conditional"),
        ("'s' * (n > 1)", "text times a truth value"),
        ("' open' * unfolded", "text times a truth value"),
        ("a, b = x, y", "parallel assignment"),
        ("a, b = b, a", ""),
        ("a, b = f()", ""),
        ("[a for a in b]", ""),
        ("' ' * 4", ""),
        ("'●' * (5 - n)", ""),
        ("a if b else c", ""),
    ],
)
def test_the_count_sees_what_is_dense_and_nothing_else(line: str, kind: str) -> None:
    assert [place.kind for place in dense(ast.parse(line))] == ([kind] if kind else [])


if __name__ == "__main__":
    words = sys.argv[1:] or [""]
    for line in listed(path for path in MODULES if any(word in path.as_posix() for word in words)):
        print(line)
