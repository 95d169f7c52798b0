"""Working copies of the notebooks, in the learner's own folder: outputs cleared, never overwritten."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from filelock import FileLock
from nbformat import NotebookNode

from ..course import record
from ..data import files
from ..errors import DataError, require

MAP = re.compile(r"(?: &emsp; )?\[The course\]\(\.\./README\.md#the-course\)")  # a README lies elsewhere
PATIENCE = 5.0  # seconds that one lab waits for another to finish copying


def notebooks() -> list[Path]:
    """List the course's notebooks, whether it is a clone or an installed wheel."""
    places = (files.ROOT.parent / "notebooks", files.ROOT / "notebooks")  # a clone, a wheel
    found = [path for place in places for path in sorted(place.glob("[0-9][0-9]_*.ipynb"))]
    require(bool(found), "the notebooks must be there", str(places[0]), "Install the course again.")
    return found


def chosen(number: str) -> Path:
    """Return the notebook of a number, "2" or "02"; raise `ArgumentError` that names those there are."""
    numbers = {path.name[:2]: path for path in notebooks()}
    require(number.zfill(2) in numbers, f"the notebook must be one of {', '.join(numbers)}", number)
    return numbers[number.zfill(2)]


def working_copy(original: Path, *, fresh: bool = False) -> Path:
    """Return the learner's copy of a notebook, made when there is none; with `fresh`, a new one beside it.

    Raises `DataError` when the folder can't be written.
    """
    copy = record.home() / original.name
    if copy.exists() and not fresh:
        return copy
    while not _placed(copy, _cleared(original)):
        if not fresh:
            return copy  # another lab was faster
        copy = _next(copy)
    return copy


def _next(path: Path) -> Path:
    """Name the copy after this one: `02_badnets.ipynb`, `02_badnets-2.ipynb`, `02_badnets-3.ipynb`."""
    match = re.fullmatch(r"(.*?)(?:-(\d+))?", path.stem)
    assert match is not None
    return path.with_stem(f"{match[1]}-{int(match[2] or 1) + 1}")


def _placed(path: Path, content: bytes) -> bool:
    """Write a file whole, or not at all, and never over another; say whether it is written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(".lab.lock"), timeout=PATIENCE):
            if path.exists():
                return False
            files.write(path, content)
            return True
    except OSError as error:  # FileLock's Timeout is one
        fix = "Name another folder in the environment variable WMLEARN_HOME."
        raise DataError(f"{path} must be writable, got: {error}. {fix}") from error


def _cleared(original: Path) -> bytes:
    """Return a notebook without outputs, so that no answer stands below a question."""
    notebook = nbformat.reads(files.read(original).decode(), 4)
    for cell in notebook.cells:
        _clear(cell)
        cell.source = MAP.sub("", cell.source).removeprefix(" &emsp; ")
    return nbformat.writes(notebook).encode() + b"\n"


def _clear(cell: NotebookNode) -> None:
    if cell.cell_type == "code":
        cell.outputs = []
        cell.execution_count = None
