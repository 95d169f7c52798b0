"""Turn a percent master into the learner's and the teacher's notebook: `wmlearn build`.

A master cell may carry a tag: `exercise:02.1` (its solution stands between markers), `reveal` (the learner's
folded solution), `instructor` (for the teacher only), `class` (for the assignments of a class only).
The links to the notebooks before and after are added here, at both ends.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
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

Audience = Literal["learner", "teacher", "class"]
DROPS: dict[Audience, set[str]] = {
    "learner": {"instructor", "class"},
    "teacher": {"reveal", "class"},
    "class": {"instructor", "reveal"},
}
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# a guard against a cell that hangs, not a budget: a busy old processor needs minutes for what takes seconds
CELL_SECONDS = 900
WIDGET = "application/vnd.jupyter.widget-view+json"
COURSE = "[The course](../README.md#the-course)"  # from notebooks/ and from teacher/ alike
TITLE = re.compile(r"^# # (.+)$", re.MULTILINE)  # a heading, as a percent master writes it


def masters(root: Path) -> list[str]:
    """Name the notebooks that have a master below `root`."""
    return sorted(path.stem for path in (root / "notebooks" / "source").glob("*.py"))


def lessons(root: Path) -> list[str]:
    """Name the masters that were built: of a lesson in the making there is no executed notebook yet."""
    return [name for name in masters(root) if (root / "notebooks" / f"{name}.ipynb").exists()]


def build(name: str, root: Path, audience: Audience = "learner") -> bytes:
    """Convert, execute in a fresh kernel, fill in the prose, and return the notebook's bytes.

    They are the same on every run of one machine.
    """
    return nbformat.writes(executed(name, root, audience)).encode() + b"\n"


def executed(
    name: str,
    root: Path,
    audience: Audience = "learner",
    *,
    answers: Mapping[str, str] | None = None,
    memory: Path | None = None,
) -> NotebookNode:
    """Convert, execute in a fresh kernel, and fill in the prose.

    `answers` are other solutions than the master's: exercise -> code. With a folder as `memory`, networks
    that were trained before are not trained again.
    """
    master = _read(name, root)
    for cell in master.cells:
        cell.source = (answers or {}).get(tagged(cell, "exercise"), cell.source)
    book = _book(master, audience, links(name, root))
    _run(book, root / "notebooks", memory)
    _fill(book, master, book)
    return book


def unrun(
    name: str, root: Path, executed: NotebookNode, audience: Audience = "learner", *, line: str | None = None
) -> NotebookNode:
    """Convert as `build` does, but run nothing: the prose quotes the claims of `executed`, built before.

    `line` stands at both ends, by default the links; "" for none. For a class, solutions keep their markers.
    """
    master = _read(name, root)
    book = _book(master, audience, links(name, root) if line is None else line)
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


def _run(book: NotebookNode, folder: Path, memory: Path | None) -> None:
    """Execute, and keep nothing that would differ next time: no times, no widget ids, no guesses of ours."""
    client = NotebookClient(
        book,
        timeout=CELL_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WMLEARN_")}
    if memory is not None:
        environment["WMLEARN_MEMORY"] = str(memory)
    with tempfile.TemporaryDirectory() as home:
        client.execute(env={**environment, "WMLEARN_HOME": home, "WMLEARN_QUIET": "1"})
    book.metadata = NotebookNode(KERNEL)
    for cell in book.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = NotebookNode({"text/plain": "An interactive widget: run this cell to use it."})


def _book(master: NotebookNode, audience: Audience, line: str) -> NotebookNode:
    """Convert the cells for one audience; `line`, of links, stands at both ends, if there is one."""
    end = [nbformat.v4.new_markdown_cell(line)] if line else []
    cells = [cell for cell in master.cells if not DROPS[audience] & _kinds(cell)]
    counts: Counter[str] = Counter()
    return NotebookNode(
        nbformat=4,
        nbformat_minor=5,
        metadata=NotebookNode(KERNEL),
        cells=[_cell(cell, audience, counts) for cell in (*end, *cells, *end)],
    )


def _cell(cell: NotebookNode, audience: Audience, counts: Counter[str]) -> NotebookNode:
    make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    forms = {"learner": unsolved, "teacher": solved, "class": str}
    source = forms[audience](cell.source)
    tags = _tags(cell)
    metadata: dict[str, object] = {"tags": tags} if tags else {}
    if "claim" in tags:
        metadata["jupyter"] = {"source_hidden": True}  # a click on the bar at the left opens it
    return make(source=source, metadata=metadata, id=_id(cell.source, counts))


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
