"""A handout to print: a page a lesson, with what to keep of it, and room to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from nbformat import NotebookNode

from ..exercises import find
from .build import tagged
from .slides import GUESS, HEADING, executed, markdown

FORMULA = re.compile(r"\$\$.+?\$\$", re.DOTALL)
KNOWN = re.compile(r"\A## What you now know\s+(.*?)(?=\n\*\*|\Z)", re.DOTALL)


def page(root: Path, names: Sequence[str]) -> str:
    """Write the handout of some lessons as one page of HTML."""
    return PAGE.format(sheets="\n".join(_sheet(executed(name, root)) for name in names))


def _sheet(book: NotebookNode) -> str:
    """Write the page of a lesson: its question and aims, guesses, formulas, exercises, and its answer."""
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    heading = HEADING.search(texts[1])
    assert heading is not None
    lines = [f"<h1>{escape(heading[1])}</h1>", markdown(texts[1][heading.end() :].strip().split("\n\n")[0])]
    lines.append(markdown(next(text for text in texts if text.startswith("**You will be able to**"))))
    guesses = [guess for cell in book.cells for guess in GUESS.findall(cell.source)]
    line = '<span class="line"></span>'
    lines += [f"<p>I guess. {escape(guess)}: {line} to {line}</p>" for guess in guesses]
    formulas = [formula for text in texts for formula in FORMULA.findall(text)]
    lines += [markdown(formula) for formula in formulas[:4]]
    lines.append(_exercises(book))
    known = "".join(found for text in texts for found in KNOWN.findall(text))
    lines.append(f"<h2>What you now know</h2>{markdown(known)}")
    lines.append('<h2>In my own words</h2><p class="room"></p>')
    return f"<article>{''.join(lines)}</article>"


def _exercises(book: NotebookNode) -> str:
    ids = [tagged(cell, "exercise") for cell in book.cells if tagged(cell, "exercise")]
    rows = [f"<li>{id} · {escape(find(id).title)}, about {find(id).minutes} minutes ☐</li>" for id in ids]
    return f"<h2>Exercises</h2><ul>{''.join(rows)}</ul>"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Handout</title>
<style>
body {{ font: 11pt/1.35 system-ui, sans-serif; color: #111; max-width: 44rem; margin: 2rem auto;
  padding: 0 1rem; }}
article {{ break-after: page; display: flex; flex-direction: column; min-height: 24cm; }}
h1 {{ margin: 0 0 .3em; }} h2 {{ font-size: 1.1em; margin: .8em 0 .2em; }} p, ul {{ margin: .2em 0; }}
math[display="block"] {{ margin: .3em 0; }}
.line {{ display: inline-block; width: 5em; border-bottom: 1px solid #555; }}
.room {{ flex: 1; min-height: 3cm; border: 1px solid #999; border-radius: 4px; }}
@page {{ size: A4; margin: 1.6cm; }}
@media print {{ body {{ margin: 0; padding: 0; max-width: none; }} }}
</style></head>
<body>
{sheets}
</body></html>
"""
