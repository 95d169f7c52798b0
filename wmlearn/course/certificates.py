"""A page that says what a learner has solved: made here from their own record, and sent nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import require
from ..page import document, escape, table
from . import standing
from .record import Record

KNOWS = "## What you now know"
MARKUP = re.compile(r"\[([^]]*)\]\([^)]*\)|[*`]")
"""Links, of which the words stay, and what makes words bold, slanted or code."""
LONGEST_NAME = 100


@dataclass(frozen=True)
class Chapter:
    """A lesson: its number, its title, and what one knows after it, in words."""

    number: str
    title: str
    knows: str


def chapter(notebook: Path) -> Chapter:
    """Read a lesson's title and what it teaches from the notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    lines = "\n".join(texts).splitlines()
    title = next(line for line in lines if line.startswith("# ")).removeprefix("# ")
    after = next((text.split(KNOWS, 1)[1] for text in texts if KNOWS in text), "")
    knows = after.strip().split("\n\n")[0]
    return Chapter(notebook.name[:2], _plain(title), _plain(knows))


def certificate(record: Record, chapters: Sequence[Chapter], name: str, day: str) -> str:
    """Write the page, HTML, for a learner called `name`, which may be empty, on that `day`.

    It holds each lesson of which something is solved, and what one knows after those that are solved whole.
    Raises `ArgumentError` for a record in which no exercise is solved, or a name of more than 100 signs.
    """
    fix = "Solve an exercise: `wmlearn lab`."
    require(bool(record.solved), "there must be a solved exercise to certify", 0, fix)
    require(len(name) <= LONGEST_NAME, f"a name must have at most {LONGEST_NAME} signs", len(name))
    rows = {row[0]: row for row in standing.table(record)}
    begun = [part for part in chapters if part.number in rows and _days(record, part.number)]
    whole = [part for part in begun if standing.is_whole(record, part.number)]
    who = f" of {name}" if name.strip() else ""
    parts = [f"<h1>Backdoors and watermarks: the record{escape(who)}</h1>", f"<p>{escape(day)}</p>"]
    days = [_days(record, part.number)[-1] for part in begun]
    lines = [[part.title, *rows[part.number][1:], day] for part, day in zip(begun, days, strict=True)]
    parts.append(table(["lesson", *standing.HEADER[1:], "last solved"], lines))
    if whole:
        parts += ["<h2>What is known now</h2>", "<ul>"]
        parts += [f"<li><strong>{escape(part.title)}.</strong> {escape(part.knows)}</li>" for part in whole]
        parts.append("</ul>")
    parts.append(f"<p>{escape(standing.calibration(record))}</p>")
    says = "This page was made on the learner's own computer, from a file that the learner can change. Nobody"
    parts.append(f"<p><em>{says} has checked it: ask for an exercise to be solved again.</em></p>")
    return document("Backdoors and watermarks: a learner's record", parts)


def _days(record: Record, number: str) -> list[str]:
    """Return the days on which exercises of a lesson were solved, in their order."""
    return sorted(day for id, day in record.solved.items() if id.startswith(f"{number}."))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", MARKUP.sub(lambda match: match[1] or "", text)).strip()
