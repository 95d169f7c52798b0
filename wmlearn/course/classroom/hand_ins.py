"""What a class hands in: found in a folder, read with care, and laid into the assignment it answers.

A hand-in is foreign content. It may be no notebook, of another lesson, gigabytes large, with cells deleted,
copied or in another order; whoever is next in the list is graded all the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import files, strict_json
from ...errors import DataError, require
from ..authoring.expand import unsolved
from ..exercises import find
from .own_network import FILE, student_id

if TYPE_CHECKING:
    from nbformat import NotebookNode  # takes more than a second, of every command

MOST_BYTES = strict_json.MOST_BYTES
"""Of a notebook: with all its figures, the largest of the course has a tenth of it."""
ANSWER = re.compile(r"exercise:([\w.]+)")


@dataclass(frozen=True)
class HandIn:
    """One student's notebook, and the network beside it, if there is one."""

    student: str
    path: Path

    @property
    def network(self) -> Path:
        """Where a handed-in network lies."""
        return self.path.with_name(FILE)


@dataclass(frozen=True)
class Fitted:
    """A hand-in in the order of its assignment, and what had to be mended."""

    book: NotebookNode
    notes: tuple[str, ...]


def class_list(path: Path) -> dict[str, str]:
    """Read the names of a class, one a line: id -> name.

    Names may hold letters of any script, blanks and slashes. Raises `DataError` for a file that is no text,
    and `ArgumentError` for a name without letters, or two that would have one id.
    """
    fix = "Write one name a line, and save it as UTF-8 text."
    raw = files.read(path, most=2**20, fix=fix)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} must be UTF-8 text, got: {error}. {fix}") from error
    names: dict[str, str] = {}
    for line in text.splitlines():
        name = line.strip()
        if name:
            id = student_id(name)
            rule = f"{path} must hold names that differ in letters or digits"
            require(id not in names, rule, f"{names.get(id)!r} and {name!r}", "Add a number to one of them.")
            names[id] = name
    require(bool(names), f"{path} must hold a name", "none", fix)
    return names


def listed(folder: Path, students: Iterable[str] = ()) -> list[HandIn]:
    """Find the hand-ins below a folder: NAME.ipynb, or NAME/….ipynb; sorted by student and name.

    With a class list, a file or folder that begins with a student's id is theirs, as learning platforms add
    numbers; without one, its whole name is the student's. Raises `DataError` where there is no notebook.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} must be a folder of notebooks, got nothing. Check the name.")
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if is_hand_in(path.relative_to(folder))]
    if not paths:
        fix = "Put NAME.ipynb there, or a folder NAME with the notebook, for each student."
        raise DataError(f"{folder} must hold notebooks (.ipynb), got none. {fix}")
    known = sorted(students, key=len, reverse=True)  # anna-lee before anna
    found = []
    for path in paths:
        place = path.relative_to(folder).parts
        found.append(HandIn(owner_of(place[0] if len(place) > 1 else path.stem, known), path))
    return sorted(found, key=lambda one: (one.student, one.path))


def is_hand_in(place: Path) -> bool:
    """Say whether a place, as seen from the folder of hand-ins, is not a hidden one of some program's."""
    return not any(part.startswith(".") for part in place.parts)  # .ipynb_checkpoints


def owner_of(name: str, known: Sequence[str]) -> str:
    """Return the one of the `known` ids with which the name of a file or folder begins, or its own id."""
    id = student_id(name)
    return next((student for student in known if id == student or id.startswith(f"{student}-")), id)


def read(path: Path) -> NotebookNode:
    """Read a handed-in notebook; raise `DataError` that says what it is instead."""
    fix = "Open it in JupyterLab, take Edit, Clear Outputs of All Cells, and save."
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        size = path.stat().st_size / 2**20
        rule = f"a notebook must have at most {MOST_BYTES // 2**20} MiB"
        raise DataError(f"{rule}, got {size:,.0f}. {fix}")
    document = strict_json.read(path)
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        raise DataError(f"{path.name} must be a notebook of nbformat 4, got something else.")
    for cell in cells:
        cell["source"] = "".join(cell["source"])
        cell["metadata"] = cell["metadata"] if isinstance(cell.get("metadata"), dict) else {}
    from nbformat import NotebookNode, from_dict

    book = from_dict({"cells": cells})
    assert isinstance(book, NotebookNode)
    return book


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return all(isinstance(line, str) for line in lines)


def lesson(book: NotebookNode) -> str:
    """Return the number of the lesson that most exercise cells of a notebook are of, or ""."""
    ids = [exercise_of(cell) for cell in book.cells]
    counts = Counter(id[:2] for id in ids if id)
    return counts.most_common(1)[0][0] if counts else ""


def exercise_of(cell: NotebookNode) -> str:
    """Return the exercise that a cell is tagged as the answer to, or ""."""
    tags = cell.metadata.get("tags", [])
    for tag in tags if isinstance(tags, list) else []:
        if match := ANSWER.fullmatch(str(tag)):
            return match[1]
    return ""


def released(book: NotebookNode) -> NotebookNode:
    """Return the assignment as it is handed out: one honest line where each solution stood."""
    copy = deepcopy(book)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.source = unsolved(cell.source)
    return copy


def graded_ids(book: NotebookNode) -> dict[str, float]:
    """Return the ids of the cells that a class's gradebook knows, in order: id -> points, 0 for an answer."""
    records = [cell.metadata["nbgrader"] for cell in book.cells if "nbgrader" in cell.metadata]
    return {record["grade_id"]: float(record.get("points", 0)) for record in records}


def fitted(book: NotebookNode, assignment: NotebookNode) -> Fitted:
    """Lay the answers of a hand-in into the released `assignment`; nothing else of it is kept but code that
    the student added, which runs before the answer it precedes.

    So deleted cells stand there again, empty, and an order that was changed is put right.
    """
    from nbformat import v4

    known = {cell.id for cell in assignment.cells}
    ids = [exercise_of(cell) for cell in assignment.cells]
    answers = _answers(book, [id for id in ids if id])
    added = _added(book, answers, known)
    kept = {str(cell.get("id")): cell.source for cell in book.cells if cell.cell_type == "code"}
    cells = []
    for cell in assignment.cells:
        own = deepcopy(cell)
        id = exercise_of(cell)
        if id in answers:
            cells += [v4.new_code_cell(source) for source in added.get(id, [])]
            own.source = answers[id].source
        elif _is_open(cell):
            own.source = kept.get(cell.id, cell.source)
        cells.append(own)
    whole = deepcopy(assignment)
    whole.cells = cells
    return Fitted(whole, tuple(_notes(book, answers, [id for id in ids if id])))


def _is_open(cell: NotebookNode) -> bool:
    """Say whether a cell runs while grading, and is a student's to change: imports, and their name."""
    tags = cell.metadata.get("tags", [])
    return cell.cell_type == "code" and "lesson" not in tags and "nbgrader" not in cell.metadata


def _answers(book: NotebookNode, ids: Sequence[str]) -> dict[str, NotebookNode]:
    """Return the cell that answers each exercise: the last with its tag, or else the last that defines it."""
    answers = {}
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    for id in ids:
        name = find(id).reference.__name__
        defining = [cell for cell in code if re.search(rf"^def {name}\b", cell.source, re.MULTILINE)]
        tagged = [cell for cell in code if exercise_of(cell) == id]
        both = [cell for cell in tagged if cell in defining]
        cells = both or defining or tagged
        if cells:
            answers[id] = cells[-1]
    return answers


def _added(book: NotebookNode, answers: Mapping[str, NotebookNode], known: set[str]) -> dict[str, list[str]]:
    """Return the code that a student added, by the answer that it precedes."""
    added: dict[str, list[str]] = {}
    waiting: list[str] = []
    owners = {id(cell): exercise for exercise, cell in answers.items()}
    for cell in book.cells:
        if id(cell) in owners:
            added[owners[id(cell)]] = waiting
            waiting = []
        elif cell.cell_type == "code" and _is_added(cell, known):
            waiting.append(cell.source)
    return added


def _is_added(cell: NotebookNode, known: set[str]) -> bool:
    ours = cell.get("id") in known or exercise_of(cell) or "nbgrader" in cell.metadata
    return not ours and "lesson" not in cell.metadata.get("tags", [])


def _notes(book: NotebookNode, answers: Mapping[str, NotebookNode], ids: Sequence[str]) -> Iterator[str]:
    missing = [id for id in ids if id not in answers]
    if missing:
        yield f"no cell answers {', '.join(missing)}: it was deleted"
    places = [book.cells.index(answers[id]) for id in ids if id in answers]
    if places != sorted(places):
        yield "the answers stand in another order than they were handed out"
