"""Turn a percent master into the learner's and the teacher's notebook: `wmlearn build`.

A master cell may carry a tag: `exercise:02.1` (its solution stands between markers), `reveal` (the learner's
folded solution), `instructor` (for the teacher only). The links to the notebooks before and after are added
here, at both ends.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Literal

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from ...data import files
from ...errors import require
from ..claims import ledger
from .expand import expand, solved, unsolved

Audience = Literal["learner", "teacher"]
DROPS: dict[Audience, set[str]] = {"learner": {"instructor"}, "teacher": {"reveal"}}
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# a guard, not a budget: the longest cell takes 30 with bfloat16, 82 on one old core without
CELL_SECONDS = 120
WIDGET = "application/vnd.jupyter.widget-view+json"
COURSE = "[The course](../README.md#the-course)"  # from notebooks/ and from teacher/ alike
TITLE = re.compile(r"^# # (.+)$", re.MULTILINE)  # a heading, as a percent master writes it


def masters(root: Path) -> list[str]:
    """Name the notebooks that have a master below `root`."""
    return sorted(path.stem for path in (root / "notebooks" / "source").glob("*.py"))


def build(name: str, root: Path, audience: Audience = "learner") -> bytes:
    """Convert, execute in a fresh kernel, fill in the prose, and return the notebook's bytes.

    They are the same on every run of one machine.
    """
    master = _read(name, root)
    book = _book(master, audience, links(name, root))
    _run(book, root / "notebooks")
    _fill(book, master, book)
    return nbformat.writes(book).encode() + b"\n"


def unrun(name: str, root: Path, executed: NotebookNode) -> NotebookNode:
    """Convert as `build` does, but run nothing: the prose quotes the claims of `executed`, built before."""
    master = _read(name, root)
    book = _book(master, "learner", links(name, root))
    _fill(book, master, executed)
    return book


def links(name: str, root: Path) -> str:
    """Return the line that leads to the notebook before, to the course's map, and to the notebook after."""
    names = masters(root)
    place = names.index(name)
    line = [COURSE]
    if place > 0:
        line.insert(0, f"← {_link(names[place - 1], root)}")
    if place + 1 < len(names):
        line.append(f"{_link(names[place + 1], root)} →")
    return " &emsp; ".join(line)


def _link(name: str, root: Path) -> str:
    heading = TITLE.search(_path(name, root).read_text(encoding="utf-8"))
    require(heading is not None, "a master must begin with a heading, `# # …`", name)
    assert heading is not None
    return f"[{heading[1]}]({name}.ipynb)"


def _path(name: str, root: Path) -> Path:
    return root / "notebooks" / "source" / f"{name}.py"


def _read(name: str, root: Path) -> NotebookNode:
    path = _path(name, root)
    require(path.exists(), f"the notebook must be one of {', '.join(masters(root))}", name)
    return jupytext.read(path)


def _fill(book: NotebookNode, master: NotebookNode, executed: NotebookNode) -> None:
    """Replace the tokens in the prose by the claims that `executed` made and the solutions of the master."""
    claims = ledger(executed.cells)
    exercises = [cell for cell in master.cells if tagged(cell, "exercise")]
    answers = {tagged(cell, "exercise"): solved(cell.source) for cell in exercises}
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = expand(cell.source, claims, answers)


def write(name: str, root: Path, audience: Audience = "learner") -> Path:
    """Build a notebook and put it where its reader looks for it: `notebooks/` or `teacher/`."""
    path = root / ("notebooks" if audience == "learner" else "teacher") / f"{name}.ipynb"
    files.write(path, build(name, root, audience))
    return path


def _run(book: NotebookNode, folder: Path) -> None:
    """Execute, and keep nothing that would differ next time: no times, no widget ids, no guesses of ours."""
    client = NotebookClient(
        book,
        timeout=CELL_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with tempfile.TemporaryDirectory() as home:
        client.execute(env={**os.environ, "WMLEARN_HOME": home, "WMLEARN_QUIET": "1"})
    book.metadata = NotebookNode(KERNEL)
    for cell in book.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = NotebookNode({"text/plain": "An interactive widget: run this cell to use it."})


def _book(master: NotebookNode, audience: Audience, line: str) -> NotebookNode:
    """Convert the cells for one audience; `line`, of links, stands at both ends."""
    ends = [nbformat.v4.new_markdown_cell(line) for _ in range(2)]
    cells = [cell for cell in master.cells if not DROPS[audience] & _kinds(cell)]
    counts: Counter[str] = Counter()
    return NotebookNode(
        nbformat=4,
        nbformat_minor=5,
        metadata=NotebookNode(KERNEL),
        cells=[_cell(cell, audience, counts) for cell in (ends[0], *cells, ends[1])],
    )


def _cell(cell: NotebookNode, audience: Audience, counts: Counter[str]) -> NotebookNode:
    make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    source = unsolved(cell.source) if audience == "learner" else solved(cell.source)
    tags = _tags(cell)
    return make(source=source, metadata={"tags": tags} if tags else {}, id=_id(cell.source, counts))


def _id(source: str, counts: Counter[str]) -> str:
    """Name a cell after its text, so that editing one cell leaves the ids of all others alone."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    counts[digest] += 1
    return digest if counts[digest] == 1 else f"{digest}-{counts[digest]}"


def tagged(cell: NotebookNode, kind: str) -> str:
    """Return what follows `kind:` among the tags of a cell, or ""."""
    for tag in _tags(cell):
        if tag.startswith(f"{kind}:"):
            return tag.split(":")[1]
    return ""


def _kinds(cell: NotebookNode) -> set[str]:
    return {tag.split(":")[0] for tag in _tags(cell)}


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))
