"""Turn a percent master into the learner's and the teacher's notebook: `wmlearn build`.

A master cell may carry a tag: `exercise:02.1` (its solution stands between markers), `reveal` (the learner's
folded solution), `instructor` (for the teacher only).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Literal

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


def masters(root: Path) -> list[str]:
    """Name the notebooks that have a master below `root`."""
    return sorted(path.stem for path in (root / "notebooks" / "source").glob("*.py"))


def build(name: str, root: Path, audience: Audience = "learner") -> bytes:
    """Convert, execute in a fresh kernel, fill in the prose, and return the notebook's bytes: the same on
    every run of one machine.
    """
    import jupytext
    import nbformat

    path = root / "notebooks" / "source" / f"{name}.py"
    require(path.exists(), f"the notebook must be one of {', '.join(masters(root))}", name)
    master = jupytext.read(path)
    book = _book(master, audience)
    _run(book, root / "notebooks")
    _fill(book, master, book)
    return nbformat.writes(book).encode() + b"\n"


def unrun(name: str, root: Path, executed: NotebookNode) -> NotebookNode:
    """Convert as `build` does, but run nothing: the prose quotes the claims of `executed`, an earlier build."""
    import jupytext

    master = jupytext.read(root / "notebooks" / "source" / f"{name}.py")
    book = _book(master, "learner")
    _fill(book, master, executed)
    return book


def _fill(book: NotebookNode, master: NotebookNode, executed: NotebookNode) -> None:
    """Replace the tokens in the prose by the claims that `executed` made and the solutions of the master."""
    claims = ledger(executed.cells)
    answers = {id: solved(cell.source) for cell in master.cells if (id := tagged(cell, "exercise"))}
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = expand(cell.source, claims, answers)


def write(name: str, root: Path, audience: Audience = "learner") -> Path:
    """Build a notebook and put it where its reader looks for it: `notebooks/` or `teacher/`."""
    path = root / ("notebooks" if audience == "learner" else "teacher") / f"{name}.ipynb"
    files.write(path, build(name, root, audience))
    return path


def _run(book: NotebookNode, folder: Path) -> None:
    """Execute, and keep nothing that would differ next time: no timing, no widget ids, no guesses of whoever
    builds.
    """
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "WMLEARN_HOME": home, "WMLEARN_QUIET": "1"}
        where = {"metadata": {"path": str(folder)}}
        client = NotebookClient(
            book,
            timeout=CELL_SECONDS,
            record_timing=False,
            coalesce_streams=True,
            store_widget_state=False,
            resources=where,
        )
        client.execute(env=environment)
    book.metadata = NotebookNode(KERNEL)
    for cell in book.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = NotebookNode({"text/plain": "An interactive widget: run this cell to use it."})


def _book(master: NotebookNode, audience: Audience) -> NotebookNode:
    seen: Counter[str] = Counter()
    kept = [
        cell
        for cell in master.cells
        if not DROPS[audience] & {tag.split(":")[0] for tag in cell.metadata.get("tags", [])}
    ]
    return NotebookNode(
        nbformat=4,
        nbformat_minor=5,
        metadata=NotebookNode(KERNEL),
        cells=[_cell(cell, audience, seen) for cell in kept],
    )


def _cell(cell: NotebookNode, audience: Audience, seen: Counter[str]) -> NotebookNode:
    import nbformat

    make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    source = unsolved(cell.source) if audience == "learner" else solved(cell.source)
    tags = list(cell.metadata.get("tags", []))
    return make(source=source, metadata={"tags": tags} if tags else {}, id=_id(cell.source, seen))


def _id(source: str, seen: Counter[str]) -> str:
    """Name a cell after its text, so that editing one cell leaves the ids of all others alone."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    seen[digest] += 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def tagged(cell: NotebookNode, kind: str) -> str:
    """Return what follows `kind:` among the tags of a cell, or ""."""
    return next(
        (tag.split(":")[1] for tag in cell.metadata.get("tags", []) if tag.startswith(f"{kind}:")), ""
    )
