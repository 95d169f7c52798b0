"""The marks of a class: a table, a page for each student, and what the teacher should look at."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ... import page
from ...data import files, strict_json
from ...errors import DataError, WmlearnError
from ...words import text_table
from . import hand_ins, own_network
from .hand_ins import HandIn
from .points import Mark

COLLECTED = "collected.json"
MARKS = "marks.json"
REACHES = re.compile(
    r"wmlearn\.course|lesson_\d\d|exercises_\d\d|\.reference\b|\binspect\b|sys\.modules|setattr|setprofile"
    r"|\baward\b|wm\.grade|seed\.txt|os\._exit"
)
"""What an answer may use to reach the course's own answer, or the grader. A place to look at, no verdict."""
LOST = "its process ended, or took too long; nbgrader's log says why"


@dataclass(frozen=True)
class Row:
    """A student's marks for one assignment; a `problem` says why it is not graded: then no mark counts."""

    student: str
    assignment: str
    marks: tuple[Mark, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def earned(self) -> int:
        """All points."""
        return sum(mark.earned for mark in self.marks)

    @property
    def worth(self) -> int:
        """The points of a full answer."""
        return sum(mark.worth for mark in self.marks)


def absent(rows: Sequence[Row], names: Mapping[str, str]) -> list[Row]:
    """Return a row for each student of a class list who handed nothing in."""
    present = {row.student for row in rows}
    return [Row(id, "", problem="nothing handed in") for id in names if id not in present]


def suspicious(book: Any) -> list[str]:
    """Name the answers of a notebook that reach for the course's own, or for the grader."""
    found = []
    for cell in book.cells:
        id = hand_ins.exercise_of(cell)
        match = REACHES.search(cell.source) if id else None
        if match:
            found.append(f"{id} names {match[0]!r}: look at it")
    return found


def copies(found: Sequence[HandIn]) -> list[str]:
    """Say who handed in the same network, to the byte."""
    owners: dict[str, set[str]] = defaultdict(set)
    for one in found:
        owners[own_network.digest(one.network)].add(one.student)
    owners.pop("", None)
    return [f"one network, handed in by {', '.join(sorted(s))}" for s in owners.values() if len(s) > 1]


# To files


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write marks.csv, marks.json and a page a student."""
    files.write(folder / "marks.csv", table(rows).encode())
    files.write(folder / MARKS, json.dumps([asdict(row) for row in rows], ensure_ascii=False).encode())
    for student in sorted({row.student for row in rows}):
        own = [row for row in rows if row.student == student]
        files.write(folder / f"{student}.html", student_page(student, own).encode())


def table(rows: Sequence[Row]) -> str:
    """Return CSV: a line for each student and assignment; no points where it is not graded."""
    ids = _ids(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "assignment", "points", "of", *ids, "not graded", "notes"])
    for row in rows:
        total = ["", ""] if row.problem else [str(row.earned), str(row.worth)]
        notes = "; ".join(row.notes)
        writer.writerow([row.student, row.assignment, *total, *_cells(row, ids), row.problem, notes])
    return text.getvalue()


def _ids(rows: Sequence[Row]) -> list[str]:
    return sorted({mark.id for row in rows for mark in row.marks})


def _cells(row: Row, ids: Sequence[str]) -> list[str]:
    earned = {} if row.problem else {mark.id: str(mark.earned) for mark in row.marks}
    return [earned.get(id, "") for id in ids]


def student_page(student: str, rows: Sequence[Row]) -> str:
    """Return a page of HTML that a student may see: points, and what was wrong."""
    parts = [f"<h1>{page.escape(student)}</h1>"]
    for row in rows:
        parts += _section(row)
    return page.document(f"Marks of {student}", parts)


def _section(row: Row) -> Iterator[str]:
    yield f"<h2>{page.escape(row.assignment or 'No notebook')}</h2>"
    if row.problem:
        yield f'<p class="verdict">Not graded yet: {page.escape(row.problem)}.</p>'
        return
    yield f'<p class="verdict">{row.earned} of {row.worth} points</p>'
    yield "<table><tr><th>exercise</th><th>points</th><th>what was seen</th></tr>"
    for mark in row.marks:
        cells = [mark.id, f"{mark.earned} of {mark.worth}", mark.says]
        yield "<tr>" + "".join(f"<td>{page.escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table>"


# For the teacher


def report(rows: Sequence[Row], copied: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines that a teacher reads: points, named mistakes by frequency, what is not graded."""
    ids = _ids(rows)
    body = [[row.student, *_cells(row, ids), _total(row)] for row in rows if row.marks and not row.problem]
    yield text_table(["student", *ids, "points"], body)
    yield ""
    yield from _mistakes([row for row in rows if not row.problem])
    for row in rows:
        if row.problem:
            yield f"NOT GRADED: {row.student}, {row.assignment or 'no notebook'}: {row.problem}"
        for note in row.notes:
            yield f"look at {row.student}: {note}"
    yield from (f"look at this: {line}" for line in copied)


def _total(row: Row) -> str:
    return f"{row.earned} of {row.worth}"


def _mistakes(rows: Sequence[Row]) -> Iterator[str]:
    marks = [mark for row in rows for mark in row.marks]
    answers = Counter(mark.id for mark in marks)
    counts = Counter((mark.id, mark.mistake) for mark in marks if mark.mistake)
    says = {(mark.id, mark.mistake): mark.says for mark in marks}
    for key, n in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        id, mistake = key
        yield f"{id}  {n} of {answers[id]}  {mistake:26}{says[key]}"


def kept(folder: Path) -> list[Row]:
    """Read the marks of a folder: those of `grade`, or what nbgrader has graded.

    Raises `DataError` where there are none.
    """
    if (folder / MARKS).is_file():
        return [_row(entry) for entry in strict_json.read(folder / MARKS)]
    rows = list(_of_nbgrader(folder))
    if not rows:
        fix = "Grade first: `nbgrader autograde`, or `wmlearn classroom grade`."
        raise DataError(f"{folder} must hold marks, got none. {fix}")
    return rows


def _row(entry: dict[str, Any]) -> Row:
    marks = tuple(Mark(**mark) for mark in entry["marks"])
    return Row(entry["student"], entry["assignment"], marks, entry["problem"], tuple(entry["notes"]))


def _of_nbgrader(course: Path) -> Iterator[Row]:
    """Yield a row for each hand-in of an nbgrader course, graded or not, and for those that were refused."""
    path = course / COLLECTED
    collected = strict_json.read(path) if path.is_file() else {}
    for entry in collected.get("refused", []):
        yield _row(entry)
    for folder in sorted((course / "submitted").glob("*/*")):
        student = folder.parent.name
        notes = tuple(collected.get("notes", {}).get(f"{student}/{folder.name}", []))
        path = course / "autograded" / student / folder.name / f"{folder.name}.ipynb"
        if path.is_file():
            yield _graded_row(student, path, notes)
        else:
            yield Row(student, folder.name, problem=LOST, notes=notes)


def _graded_row(student: str, path: Path, notes: tuple[str, ...]) -> Row:
    """Read the marks that the graded cells have left in their outputs; a cell that left none is a problem."""
    try:
        book = hand_ins.read(path)
    except WmlearnError as error:
        return Row(student, path.stem, problem=str(error), notes=notes)
    marks = []
    lost = []
    for cell in book.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            mark = _mark(cell.get("outputs", []))
            if mark is None:
                lost.append(cell.metadata["nbgrader"]["grade_id"])
            else:
                marks.append(mark)
    problem = f"no mark came from {', '.join(lost)}: the cell was stopped" if lost else ""
    return Row(student, path.stem, tuple(marks), problem, notes)


def _mark(outputs: Sequence[Any]) -> Mark | None:
    for output in outputs:
        record = output.get("metadata", {}).get("mark")
        if record:
            return Mark(**record)
    return None
