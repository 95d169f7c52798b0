"""Assignments: every lesson becomes one, and hand-ins of a term fit what is handed out again."""

from __future__ import annotations

import ast
from functools import cache

import pytest
from nbformat import NotebookNode

from wmlearn.course.authoring import assignments
from wmlearn.course.authoring.build import masters
from wmlearn.course.authoring.expand import TOKEN
from wmlearn.course.classroom.hand_ins import exercise_of, graded_ids, released

NAMES = masters(assignments.root())
POINTS = {
    "01": {"01-1": 4, "01-2": 6, "01-3": 6},
    "02": {"02-1": 4, "02-2": 2, "02-3": 4, "02-4": 6, "02-network": 4},
    "03": {"03-1": 4, "03-2": 6, "03-3": 4},
    "04": {"04-1": 4, "04-2": 8, "04-3": 6, "04-4": 8},
    "05": {"05-1": 4, "05-2": 4, "05-3": 4, "05-4": 4},
    "06": {"06-1": 4, "06-2": 6, "06-3": 4, "06-4": 4},
    "07": {"07-1": 4, "07-2": 4, "07-3": 4, "07-4": 4},
    "08": {"08-1": 2, "08-2": 4, "08-3": 4, "08-4": 6},
    "09": {"09-1": 4, "09-2": 4, "09-3": 4},
    "10": {"10-1": 4, "10-2": 4, "10-3": 4},
    "11": {"11-1": 6, "11-2": 6, "11-3": 6},
    "12": {"12-1": 6, "12-2": 6, "12-3": 6},
    "13": {"13-1": 6, "13-2": 4, "13-3": 6},
    "14": {"14-1": 8, "14-2": 6, "14-3": 8},
    "15": {"15-1": 8, "15-2": 8, "15-3": 8},
    "16": {"16-1": 8, "16-2": 10, "16-3": 10},
}
"""The points of the cells that a class's gradebook knows. A class whose term has begun can't be handed out a
notebook with others: what changes here is for the changelog.
"""


@cache
def _book(name: str) -> NotebookNode:
    return assignments.assignment(name, assignments.root())


@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] in POINTS])
def test_the_graded_cells_and_their_points_stay(name: str) -> None:
    graded = {id[1:]: points for id, points in graded_ids(_book(name)).items() if id[0] == "p"}
    assert graded == POINTS[name[:2]]


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_a_cell_for_its_answer_and_next_to_it_one_for_its_points(name: str) -> None:
    cells = _book(name).cells
    places = [i for i, cell in enumerate(cells) if exercise_of(cell)]
    assert len(places) >= 2
    for i in places:
        id = exercise_of(cells[i])
        dashed = id.replace(".", "-")
        assert cells[i].metadata["nbgrader"]["grade_id"] == f"e{dashed}"
        assert cells[i].metadata["nbgrader"]["solution"]
        assert cells[i + 1].metadata["nbgrader"]["grade_id"] == f"p{dashed}"
        assert cells[i + 1].metadata["nbgrader"]["locked"]
        assert cells[i + 1].source == f'wm.grade("{id}", globals())'


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_that_gives_points_is_skipped(name: str) -> None:
    """NBGrader gives full points to a cell without an output."""
    for cell in _book(name).cells:
        if "nbgrader" in cell.metadata:
            assert assignments.LESSON not in cell.metadata.get("tags", [])


@pytest.mark.parametrize("name", NAMES)
def test_what_runs_while_grading_only_imports_defines_and_starts(name: str) -> None:
    code = [cell for cell in _book(name).cells if cell.cell_type == "code"]
    ordinary = [cell for cell in code if "nbgrader" not in cell.metadata and "student" not in _tags(cell)]
    first, *others = [cell for cell in ordinary if assignments.LESSON not in _tags(cell)]
    assert f'wm.start("{name[:2]}")' in first.source
    for cell in others:
        kinds = {type(statement) for statement in ast.parse(cell.source).body}
        assert kinds <= {ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef}


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


@pytest.mark.parametrize("name", NAMES)
def test_a_release_has_no_solution_no_marker_no_output_and_no_open_token(name: str) -> None:
    book = released(_book(name))
    text = "\n".join(cell.source for cell in book.cells)
    assert "BEGIN SOLUTION" not in text
    assert "For the teacher" not in text
    assert "Solution, and how it goes wrong" not in text
    assert not TOKEN.search(text)
    for cell in book.cells:
        assert not cell.get("outputs")
        if exercise_of(cell):
            assert 'raise NotImplementedError("your turn")' in cell.source
    assert len({cell.id for cell in book.cells}) == len(book.cells)
