"""Grading without nbgrader: a hand-in runs in a process of its own, which may die or hang without harm.

Only the cells that grading needs run, as under nbgrader, and in a scratch folder, so that marks are equal. A
process is no prison: an answer can read what the teacher can read. Grade where nothing else lies.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from traitlets.config import Config

from ..exercises import find
from . import own_network, points
from .points import Mark

if TYPE_CHECKING:
    from nbformat import NotebookNode  # takes more than a second

CELL_SECONDS = 120.0  # as in the settings for nbgrader
MOST_SECONDS = 600.0  # for all cells together
MOST_MESSAGE = 2**20
SLOW = ("IPython.core.interactiveshell", "scipy.stats", "torch._dynamo")
"""What each process would import for a second or two: the shell, exact tails, and what optimisers ask for."""
MOST_NETWORK = 16 * 2**20  # bytes; the course's network has half a million


@dataclass(frozen=True)
class Outcome:
    """The marks of a hand-in; with a `problem` it is not graded, whatever marks there are."""

    marks: tuple[Mark, ...]
    problem: str = ""


@dataclass(frozen=True)
class Step:
    """A cell to run, or an exercise whose points are asked for."""

    source: str
    id: str = ""


def steps(book: NotebookNode) -> list[Step]:
    """Return what grading runs of an assignment's notebook, in order."""
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    needed = [cell for cell in cells if "lesson" not in cell.metadata.get("tags", [])]
    return [Step(cell.source, _asked(cell)) for cell in needed]


def _asked(cell: NotebookNode) -> str:
    record = cell.metadata.get("nbgrader", {})
    return record["grade_id"].removeprefix("p").replace("-", ".", 1) if record.get("grade") else ""


def graded(book: NotebookNode, student: str, network: Path, seed: int) -> Outcome:
    """Run a hand-in that was laid into its assignment, and return its marks; never raises for what it does.

    `network` is the file handed in beside it, which need not be there.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        if network.is_file() and network.stat().st_size <= MOST_NETWORK:
            shutil.copy(network, Path(scratch, own_network.FILE))
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = _context().Process(target=_work, args=(theirs, scratch, steps(book), student, seed))
        process.start()
        theirs.close()
        try:
            return _heard(ours, [step.id for step in steps(book) if step.id])
        finally:
            process.kill()
            process.join()
            ours.close()


def _context() -> Any:
    """Start processes from one that has loaded PyTorch, where the system can: a second instead of five."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *SLOW])
    return context


def _heard(connection: Connection, ids: Sequence[str]) -> Outcome:
    """Collect the marks until the process says that it is done, dies, or takes too long."""
    marks: list[Mark] = []
    end = time.monotonic() + MOST_SECONDS
    while len(marks) < len(ids):
        if not connection.poll(max(0.0, end - time.monotonic())):
            return Outcome(tuple(marks), f"it ran for {MOST_SECONDS:.0f} seconds, and was stopped")
        try:
            marks.append(Mark(**json.loads(connection.recv_bytes(MOST_MESSAGE))))
        except (EOFError, OSError, ValueError, TypeError):
            reason = f"its process ended at {ids[len(marks)]}: does it leave Python, or need all memory?"
            return Outcome(tuple(marks), reason)
    return Outcome(tuple(marks))


def _work(connection: Connection, scratch: str, steps: Sequence[Step], student: str, seed: int) -> None:
    """Run the steps in this process, and send a mark for each that asks for one."""
    os.chdir(scratch)
    os.environ.update({"MPLBACKEND": "agg", "IPYTHONDIR": scratch, "NBGRADER_EXECUTION": "autograde"})
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):  # what it prints may have no end
        os.dup2(nowhere, stream)
    torch.set_num_threads(1)
    from IPython.core.interactiveshell import InteractiveShell  # only where a notebook runs

    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    for step in steps:
        if step.id:
            mark = _mark(step.id, shell.user_ns, student, seed)
            connection.send_bytes(json.dumps(asdict(mark)).encode())
        else:
            with suppress(points.TooLong), points.limited(CELL_SECONDS):
                shell.run_cell(step.source, store_history=False)


def _mark(id: str, names: dict[str, Any], student: str, seed: int) -> Mark:
    if id == own_network.ID:
        own = own_network.variant(student, own_network.sitting_of(seed))
        return own_network.award(own, Path(own_network.FILE))
    return points.award(id, names.get(find(id).reference.__name__), seed)
