"""A notebook as a class gets it: no solution, hidden test, seed or teacher's text; a cell for the points
after each exercise; and for nbgrader, whose cell is whose.

Nothing runs here: the prose quotes what the committed notebook measured. Cells that grading doesn't need
carry the tag `lesson`, and both graders skip them, so nobody waits for the lesson's networks.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ...data import files
from ..classroom import own_network
from ..classroom.points import worth
from .build import tagged, unrun

LESSON = "lesson"
ANYBODY = 'variant("your name")'


def root() -> Path:
    """Return the folder that holds `notebooks/source`: the clone, or what an installed wheel ships."""
    clone = files.ROOT.parent
    return clone if (clone / "notebooks" / "source").is_dir() else files.ROOT


def assignment(name: str, root: Path) -> NotebookNode:
    """Convert a master into nbgrader's source: solutions stand between markers, which a release drops."""
    executed = nbformat.read(root / "notebooks" / f"{name}.ipynb", 4)
    book = unrun(name, root, executed, "class", line="")
    cells = []
    started = False
    for cell in book.cells:
        _describe(cell, first=not started)
        started = started or cell.cell_type == "code"
        cells.append(cell)
        if id := tagged(cell, "exercise"):
            source = f'wm.grade("{id}", globals())'
            cells.append(_graded(source, id, worth(id)))
    book.cells = cells
    return book


def seat(book: NotebookNode, sitting: str) -> None:
    """Write the code of a class's sitting into the cell that draws a student's variant."""
    for cell in book.cells:
        if "student" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace(ANYBODY, ANYBODY.replace(")", f', "{sitting}")'))


def _describe(cell: NotebookNode, *, first: bool) -> None:
    """Tell nbgrader what a cell is, and both graders whether they need it."""
    if id := tagged(cell, "exercise"):
        cell.metadata["nbgrader"] = _record(f"e{_dashed(id)}", solution=True)
    elif tagged(cell, "points"):  # of what a class hands in beside its notebook
        id = tagged(cell, "points")
        cell.metadata["nbgrader"] = _record(f"p{_dashed(id)}", points=own_network.WORTH)
    elif "student" in cell.metadata.get("tags", []):
        pass  # an ordinary cell that runs: nbgrader would empty an answer that has no markers
    elif cell.cell_type == "code" and not first and not _defines(cell.source):
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), LESSON]


def _defines(source: str) -> bool:
    """Say whether code only defines: what an answer may use, and costs nothing to run."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return all(isinstance(statement, kinds) for statement in ast.parse(source).body)


def _graded(source: str, id: str, points: int) -> NotebookNode:
    metadata = {"nbgrader": _record(f"p{_dashed(id)}", points=points)}
    name = hashlib.sha256(f"points {id}".encode()).hexdigest()[:8]
    return nbformat.v4.new_code_cell(source, metadata=metadata, id=name)


def _record(grade_id: str, *, points: int = 0, solution: bool = False) -> dict[str, object]:
    """Return nbgrader's metadata: of an answer, or of the locked cell that gives its points."""
    record: dict[str, object] = {"schema_version": 3, "task": False, "grade_id": grade_id}
    record |= {"grade": points > 0, "solution": solution, "locked": not solution}
    return record | ({"points": points} if points else {})


def _dashed(id: str) -> str:
    return id.replace(".", "-")
