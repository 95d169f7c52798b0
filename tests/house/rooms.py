"""What the tests of the house read: the files of the package as trees, and a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wmlearn"
MODULES = sorted(PACKAGE.rglob("*.py"))
ORDER = (  # a room may import from those above it, and from itself
    "errors",
    "progress",
    "words",
    "page",
    "parallel",
    "data",
    "memory",
    "models",
    "training",
    "triggers",
    "poisoning",
    "transfer",
    "street_detector",
    "evidence",
    "protocols",
    "detection",
    "privacy",
    "watermarks",
    "suspects",
    "intake",
    "ownership",
    "removal",
    "scorecard",
    "courtroom",
    "experiments",
    "plots",
    "course",
    "bench",
    "cli",
)
LAST_OF_SCIENCE = "experiments"
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


def label(path: Path) -> str:
    """Return the path of a file within the project, as a test shows it."""
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    """Return the file or package at the top of wmlearn that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path: Path) -> str:
    """Return the name by which a module is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _is_science(path: Path) -> bool:
    name = room(path)
    return name in ORDER and ORDER.index(name) <= ORDER.index(LAST_OF_SCIENCE)


SCIENCE = [path for path in MODULES if _is_science(path)]


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, root: Path = ROOT) -> Iterator[tuple[str, ...]]:
    """Yield imports, those in functions too: `from ..data import files` as (wmlearn, data, files)."""
    folder = path.relative_to(root).parts[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            yield from ((*start, *module, alias.name) for alias in node.names)


def chain(node: ast.AST) -> str:
    """Return `torch.cuda.synchronize` for its tree, and "" for anything that isn't a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{chain(node.value)}.{node.attr}"
    return ""


def calls(path: Path) -> list[str]:
    """Return what a file calls, as chains of names."""
    return [chain(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def fresh(code: str) -> str:
    """Run code in an interpreter that has imported nothing yet; return what it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr
    return done.stdout
