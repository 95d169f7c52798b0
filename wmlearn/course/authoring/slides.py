"""Slides of a lesson from its executed notebook, without its code: headings, pictures, tables, exercises.

A heading begins a column of slides; a picture, a table, a guess or an exercise is a slide below it. Long
prose and the teacher's cells go to the speaker's notes (key S). Nothing runs, and nothing is loaded from
outside: all decks share one copy of reveal.js, and formulas are MathML.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from ...errors import DataError, require
from .build import COURSE, lessons, tagged, unrun
from .mathml import mathml

NEEDS = ("markdown_it", "mdit_py_plugins", "latex2mathml", "sphinx_revealjs")
SHARED = {
    "reveal.js": "dist/reveal.js",
    "reveal.css": "dist/reveal.css",
    "reset.css": "dist/reset.css",
    "notes.js": "plugin/notes/notes.js",
    "LICENSE": "LICENSE",
}
"""File in `shared/` -> where the package sphinx-revealjs keeps it."""
MOST_LETTERS = 320
"""What a paragraph may have and still be read from the back row; longer ones are the speaker's."""
MOST_SLIDE = 700
"""Letters of prose on one slide."""
LONG_TABLE = 1000
"""Letters of a table that is set smaller, to fit."""
ROOM = 200
"""Letters beside which there is room for a picture or a table."""
SECTION = re.compile(r"^(?=## )", re.MULTILINE)
HEADING = re.compile(r"\A#{1,3} (.+)")
SENTENCE = re.compile(r"(?<=[.?!:])\s")
GUESS = re.compile(r'wm\.guess\("[^"]+", "([^"]+)"')
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
QUESTION = re.compile(r"^(?=\*\*\d+\.\*\*)", re.MULTILINE)
SILENT = ("wm.ready(", "wm.quiz(", "wm.challenge(", "wm.start(", "wm.reveal(")
"""Cells that answer a learner: on a slide they would say that nobody has begun."""
HOW = "*How to read this:*"


@dataclass
class Slide:
    """What the room sees, and what the speaker reads, both HTML."""

    parts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Deck = list[list[Slide]]
"""Columns of slides."""


def write(root: Path, place: Path, names: Sequence[str] = ()) -> Path:
    """Write a deck for each lesson, by default all, and an index into the folder `place`; return the index.

    What was there goes. Raises `DataError` when the extra `site` is missing.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        fix = 'Run pip install -e ".[site]".'
        raise DataError(f"Slides need {', '.join(missing)}, which is not installed. {fix}")
    from . import handout

    chosen = names or lessons(root)
    titles = {name: title(name, root) for name in chosen}
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "slides"
        _share(root, built / "shared")
        for name in chosen:
            (built / f"{name}.html").write_text(page(titles[name], deck(name, root)), encoding="utf-8")
        (built / "handout.html").write_text(handout.page(root, chosen), encoding="utf-8")
        (built / "index.html").write_text(_index(titles), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(built, place)
    return place / "index.html"


def _share(root: Path, folder: Path) -> None:
    found = find_spec("sphinx_revealjs")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).parent / "_static" / "revealjs"
    folder.mkdir(parents=True)
    for name, place in SHARED.items():
        require((source / place).is_file(), "sphinx-revealjs must bring reveal.js", f"no {place}")
        shutil.copyfile(source / place, folder / name)
    shutil.copyfile(root / "docs" / "slides" / "deck.css", folder / "deck.css")


def executed(name: str, root: Path) -> NotebookNode:
    """Read a lesson as it was executed and committed."""
    return nbformat.read(root / "notebooks" / f"{name}.ipynb", 4)


def title(name: str, root: Path) -> str:
    """Return the heading of a lesson, "01 · Two models"."""
    heading = HEADING.search(executed(name, root).cells[1].source)
    assert heading is not None
    return heading[1]


def for_the_teacher(name: str, root: Path) -> str:
    """Return the teacher's cells of a lesson as Markdown, their numbers filled in."""
    book = unrun(name, root, executed(name, root), "teacher")
    cells = [cell.source for cell in book.cells if "instructor" in cell.metadata.get("tags", [])]
    return "\n\n".join(cells)


def deck(name: str, root: Path) -> Deck:
    """Divide a lesson into columns of slides."""
    columns: Deck = []
    for cell in executed(name, root).cells:
        if COURSE in cell.source:  # the links to the neighbours
            continue
        if cell.cell_type == "markdown":
            _read_prose(cell.source, columns)
        else:
            _show(cell, columns)
    columns[0][0].notes.insert(0, markdown(for_the_teacher(name, root)))
    return columns


def _read_prose(text: str, columns: Deck) -> None:
    for section in SECTION.split(FOLD.sub("", text)):
        for question in QUESTION.split(section):
            _place(question.strip(), columns)


def _place(text: str, columns: Deck) -> None:
    """Put a piece of prose on a slide: a new one where it has a heading, a question, a box or a table."""
    if not text:
        return
    heading = HEADING.match(text)
    blocks = re.split(r"\n{2,}", text[heading.end() :] if heading else text)
    if heading:
        level = "h1" if text.startswith("# ") else "h2"
        columns.append([Slide([f"<{level}>{escape(heading[1])}</{level}>"])])
    elif QUESTION.match(text) and len(columns[-1][-1].parts) > 1:
        columns[-1].append(Slide())
    for block in filter(None, map(str.strip, blocks)):
        if block.startswith("|") or (block.startswith("<div") and len(columns[-1][-1].parts) > 1):
            columns[-1].append(Slide())
        slide = columns[-1][-1]
        written = sum(len(part) for part in slide.parts)
        is_short = len(block) <= MOST_LETTERS and written + len(block) <= MOST_SLIDE
        if block.startswith(("|", "$$", "<div", "- ")) or (is_short and not block.startswith(HOW)):
            html = markdown(block)
            slide.parts.append(f'<div class="dense">{html}</div>' if len(block) > LONG_TABLE else html)
        else:
            slide.notes.append(markdown(block))
            if len(slide.parts) == 1 and heading:  # a heading alone says little: take the first sentence
                slide.parts.append(markdown(SENTENCE.split(block)[0]))


def _show(cell: NotebookNode, columns: Deck) -> None:
    """Put what a cell shows on slides of their own: pictures, tables, a question to guess, an exercise."""
    if tagged(cell, "exercise"):
        columns[-1][-1].parts.append(f"<pre><code>{escape(cell.source)}</code></pre>")
        return
    guess = GUESS.search(cell.source)
    if guess:
        question = f"<h3>Guess first</h3><p>{escape(guess[1])}: from … to …?</p>"
        columns[-1].append(Slide([question]))
    for output in cell.get("outputs", []):
        shown = _output(output, silent=any(call in cell.source for call in SILENT))
        if shown and sum(len(part) for part in columns[-1][-1].parts) > ROOM:
            columns[-1].append(Slide())
        if shown:
            columns[-1][-1].parts.append(shown)


def _output(output: NotebookNode, *, silent: bool) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        says = output.get("metadata", {}).get("image/png", {}).get("alt", "")
        png = "".join(data["image/png"].split())
        return f'<img alt="{escape(says)}" src="data:image/png;base64,{png}">'
    html = data.get("text/html", "")
    return html if html.startswith("<table") and not silent else ""


def markdown(text: str) -> str:
    """Write Markdown with formulas as HTML; links to other files and places of the notebook become words."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(latex: str, options: dict[str, Any]) -> str:
        return mathml(latex, block=bool(options["display_mode"]))

    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.use(dollarmath_plugin, renderer=formula, double_inline=True)
    without_ways = re.sub(r"\[([^\]]+)\]\((?![a-z]+://)[^)]*\)", r"\1", text)
    return reader.render(without_ways)


def page(title: str, columns: Iterable[Sequence[Slide]]) -> str:
    """Write a deck as one page, which finds reveal.js in `shared/`."""
    body = "\n".join(f"<section>{_column(column)}</section>" for column in columns)
    return PAGE.format(title=escape(title), body=body)


def _column(column: Sequence[Slide]) -> str:
    return "\n".join(f"<section>{_slide(slide)}</section>" for slide in column if slide.parts)


def _slide(slide: Slide) -> str:
    notes = "\n".join(slide.notes)
    return "\n".join([*slide.parts, f'<aside class="notes">{notes}</aside>' if notes else ""])


def _index(titles: dict[str, str]) -> str:
    items = "\n".join(f'<li><a href="{name}.html">{escape(title)}</a></li>' for name, title in titles.items())
    return INDEX.format(items=items)


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="stylesheet" href="shared/reset.css"><link rel="stylesheet" href="shared/reveal.css">
<link rel="stylesheet" href="shared/deck.css"></head>
<body><div class="reveal"><div class="slides">
{body}
</div></div>
<script src="shared/reveal.js"></script><script src="shared/notes.js"></script>
<script>Reveal.initialize({{ hash: true, center: false, width: 1280, height: 720, margin: 0.03,
  transition: "none", slideNumber: "c/t", scrollActivationWidth: null, plugins: [RevealNotes] }});</script>
</body></html>
"""
INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Slides</title><link rel="stylesheet" href="shared/deck.css"></head>
<body class="index"><h1>Slides of the course</h1>
<ul>
{items}
</ul>
<p><a href="handout.html">The handout</a>, a page a lesson, to print.</p>
<p>Keys: arrows and Space to move, S for the speaker's view with notes, O for an overview. To print a deck,
add <code>?print-pdf</code> to its address.</p>
</body></html>
"""
