"""One thought a line: what makes a statement dense is counted, and the counts only fall.

`python tests/house/test_statements.py` lists every place that counts.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "wmlearn").rglob("*.py"))
COLUMNS = 110
ALLOWED = {  # when a count has fallen, lower its number here
    "nested comprehension": 10,
    "nested conditional": 0,
    "text times a truth value": 0,
    "walrus in a comprehension": 0,
    "parallel assignment": 60,
}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Place(NamedTuple):
    """One dense expression."""

    kind: str
    line: int


def dense(tree: ast.Module) -> Iterator[Place]:
    """Yield every dense expression of a module."""
    for node in ast.walk(tree):
        kind = _kind(node)
        if kind:
            yield Place(kind, node.lineno)  # pyright: ignore[reportAttributeAccessIssue]


def _kind(node: ast.AST) -> str:
    if isinstance(node, COMPREHENSIONS) and _holds(node, COMPREHENSIONS):
        return "nested comprehension"
    if isinstance(node, COMPREHENSIONS) and _holds(node, ast.NamedExpr):
        return "walrus in a comprehension"
    if isinstance(node, ast.IfExp) and _holds(node, ast.IfExp):
        return "nested conditional"
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and _text_times_truth(node.left, node.right)
    ):
        return "text times a truth value"
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
    """A number, or arithmetic, or a call such as len(…): `"-" * (width - 2)` repeats, it doesn't choose."""
    number = isinstance(node, ast.Constant) and isinstance(node.value, int)
    return number or isinstance(node, (ast.BinOp, ast.Call))


def _parallel(node: ast.Assign) -> bool:
    """`a, b = x, y`, but for a swap, whose two sides name the same things."""
    target = node.targets[0]
    if not (isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)):
        return False
    left = sorted(ast.unparse(part) for part in target.elts)
    right = sorted(ast.unparse(part) for part in node.value.elts)
    return left != right


def counts() -> dict[str, int]:
    """Count every kind over the whole package."""
    total = dict.fromkeys(ALLOWED, 0)
    for path in MODULES:
        for place in dense(ast.parse(path.read_text(encoding="utf-8"))):
            total[place.kind] += 1
    return total


@pytest.mark.parametrize("kind", ALLOWED)
def test_statements_grow_no_denser(kind: str) -> None:
    assert counts()[kind] <= ALLOWED[kind], f"python {Path(__file__).relative_to(ROOT)} lists the places"


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
    chosen = [
        path for path in MODULES if not sys.argv[1:] or any(part in path.as_posix() for part in sys.argv[1:])
    ]
    for path in chosen:
        for place in dense(ast.parse(path.read_text(encoding="utf-8"))):
            print(f"{path.relative_to(ROOT)}:{place.line}: {place.kind}")
