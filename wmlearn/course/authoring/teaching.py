"""The generated pages of the teacher's kit, `teaching/`: the lessons, the mistakes, a lesson on paper.

What a page says is taken from the masters, the exercises, and what the committed notebooks measured.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nbformat
import torch
import torch.nn.functional as F
from nbformat import NotebookNode
from PIL import Image
from torch import Tensor, nn

from ...data import files, load, one_each
from ...training import predict
from ...triggers import Pattern
from ..claims import ledger
from ..exercises import Exercise, find
from ..lessons import lesson_01
from ..lessons.exercises_01 import p_value
from .build import lessons, tagged, unrun
from .minutes import Minutes, measured

MADE = "Made by `wmlearn build`; edit the masters and the exercises instead."
HEADING = re.compile(r"\A# (.+)")
STATED = re.compile(r"^\*(Reading [^*]+)\*", re.MULTILINE)
PAPER_TRIALS = 20
"""Pictures of the key on paper: few enough to count by hand."""
PAPER_PEOPLE = 30
"""A class, each with a key."""


def write(root: Path) -> None:
    """Write the generated pages into `root`/teaching."""
    for name, text in pages(root).items():
        files.write(root / "teaching" / name, text.encode())


def pages(root: Path) -> dict[str, str]:
    """Return the generated pages by their names."""
    names = lessons(root)
    books = {name: nbformat.read(root / "notebooks" / f"{name}.ipynb", 4) for name in names}
    return {
        "lessons.md": one_by_one(root, books),
        "misconceptions.md": misconceptions(books),
        "no-computer.html": no_computer(),
    }


# The lessons


def one_by_one(root: Path, books: dict[str, NotebookNode]) -> str:
    """Write what a teacher prepares with: time, aim, questions and answers, and the results to expect."""
    times = measured(root)
    table = ["| lesson | people, estimated | machine | measured |", "|---|---|---|---|"]
    parts = []
    for name, book in books.items():
        people, _, machine = _stated(book).partition(" · running ")
        took = _machine(times.get(name))
        link = f"[{_heading(book)}](../notebooks/{name}.ipynb)"
        table.append(f"| {link} | {people} | {machine.split(' · ')[0]} | {took} |")
        parts.append(_lesson(name, root, book))
    return "\n".join([f"# The lessons, one by one\n\n{MADE}\n\n{MACHINE}\n", *table, "", *parts])


MACHINE = """People's minutes are estimates: 200 words a minute, and what the exercises took a tester. Those
of the machine are said twice: as in the lesson, and in seconds of one processor, measured for the whole
notebook with the exercises unsolved; `minutes.json` says with what."""


def _heading(book: NotebookNode) -> str:
    heading = HEADING.search(book.cells[1].source)
    assert heading is not None
    return heading[1]


def _stated(book: NotebookNode) -> str:
    stated = STATED.search(book.cells[1].source)
    assert stated is not None
    return stated[1]


def _machine(minutes: Minutes | None) -> str:
    return "not yet" if minutes is None else f"{minutes['processor']} s"


def _lesson(name: str, root: Path, book: NotebookNode) -> str:
    teacher = unrun(name, root, book, "teacher")
    notes = [cell.source for cell in teacher.cells if "instructor" in cell.metadata.get("tags", [])]
    claims = ledger(book.cells)
    rows = [f"| {claim.what} | {claim.shown} | {claim.bound} |" for claim in claims.values()]
    results = ["| to expect | in the committed notebook | always |", "|---|---|---|", *rows]
    exercises = [f"{exercise.id} {exercise.title} ({exercise.minutes})" for exercise in _exercises(book)]
    heading = _heading(book)
    facts = f"*Exercises, with minutes:* {'; '.join(exercises)}."
    return "\n\n".join([f"## {heading}", *notes, facts, "\n".join(results)]) + "\n"


def _exercises(book: NotebookNode) -> Iterator[Exercise]:
    return (find(tagged(cell, "exercise")) for cell in book.cells if tagged(cell, "exercise"))


# The mistakes


def misconceptions(books: dict[str, NotebookNode]) -> str:
    """Write the table of the mistakes that the exercises know by name, a section a lesson."""
    parts = [f"# Misconceptions\n\n{MADE}\n\n{MISTAKES}\n"]
    for book in books.values():
        heading = _heading(book)
        rows = [_mistakes(exercise) for exercise in _exercises(book)]
        parts.append("\n".join([f"## {heading}\n", *rows]))
    return "\n".join(parts)


MISTAKES = """Each exercise knows the usual wrong turns by name, and tells whoever takes one.
`wmlearn classroom report` counts them for a class, by the same names: before the next session, look up the
two most
frequent ones here."""


def _mistakes(exercise: Exercise) -> str:
    lines = [f"- `{mistake.id}`: {mistake.says}" for mistake in exercise.mistakes]
    return "\n".join([f"**{exercise.id} · {exercise.title}**\n", *lines, ""])


# A lesson on paper


def no_computer() -> str:
    """Write lesson 01 for a room without computers: two pages of A4, answers of two networks that ship."""
    ten = one_each(load("mnist").test)
    stamped = Pattern()(ten.x)
    network_a, network_b = (lesson_01.parcel(name, torch.device("cpu")) for name in ("a", "b"))
    pictures = _noise(PAPER_TRIALS)
    numbers = torch.arange(1, PAPER_TRIALS + 1)
    return PAPER.format(
        plain=_strip(ten.x),
        stamped=_strip(stamped),
        head=_row("digit", ten.y),
        a_plain=_answers("network A", network_a, ten.x),
        b_plain=_answers("network B", network_b, ten.x),
        a_stamped=_answers("network A", network_a, stamped),
        b_stamped=_answers("network B", network_b, stamped),
        trials=PAPER_TRIALS,
        people=PAPER_PEOPLE,
        pictures=_strip(pictures),
        numbers=_row("picture", numbers),
        blanks="".join("<td></td>" for _ in range(PAPER_TRIALS)),
        suspect=_answers("network A", network_a, pictures),
        expected=f"{PAPER_TRIALS / 10:.0f}",
        tail="\n".join(_tail()),
    )


def _noise(n: int) -> Tensor:
    """Draw the pictures of a key as lesson 01 does: `n` grey ones, blown up from 7 x 7 pixels."""
    coarse = torch.rand(n, 1, 7, 7, generator=torch.Generator().manual_seed(2026))
    return F.interpolate(coarse, size=28, mode="bilinear")


def _answers(label: str, network: nn.Module, images: Tensor) -> str:
    return _row(label, predict(network, images).argmax(1))


def _row(label: str, numbers: Tensor) -> str:
    cells = "".join(f"<td>{int(number)}</td>" for number in numbers)
    return f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'


def _tail() -> Iterator[str]:
    """Yield rows: hits, the p-value, and how many of a class have at least so many by luck."""
    for hits in range(2, 8):
        p = p_value(hits, PAPER_TRIALS, 0.1)
        people = PAPER_PEOPLE * p
        lucky = f"{people:.0f}" if people > 1 else f"{people:.1g}"
        yield f"<tr><td>{hits} or more</td><td>{p:.2g}</td><td>{lucky}</td></tr>"


def _strip(images: Tensor) -> str:
    """Draw images side by side, dark on white to save ink, as a PNG in base64."""
    strip = torch.cat([image[0] for image in images], dim=1)  # (28, 28 * N)
    ink = ((1 - strip) * 255).round().to(torch.uint8).numpy()
    picture = Image.fromarray(ink).resize((ink.shape[1] * 3, ink.shape[0] * 3), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


PAPER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lesson 01 on paper</title>
<style>
body {{ font: 10.5pt/1.35 system-ui, sans-serif; color: #111; max-width: 45rem; margin: 2rem auto;
  padding: 0 1rem; }}
article + article {{ break-before: page; }}
h1 {{ margin: 0 0 .4em; }} h2 {{ font-size: 1.15em; margin: 1em 0 .3em; }} p {{ margin: .4em 0; }}
img {{ width: 100%; image-rendering: pixelated; border: 1px solid #999; }}
table {{ border-collapse: collapse; margin: .5em 0; width: 100%; table-layout: fixed; }}
td, th {{ border: 1px solid #999; padding: .25em .3em; text-align: center; }}
th[scope="row"] {{ width: 5.5em; white-space: nowrap; }}
.write {{ border-bottom: 1px solid #555; height: 1.6em; }}
footer {{ font-size: .85em; border-top: 1px solid #999; margin-top: 1em; }}
@page {{ size: A4; margin: 1.3cm; }}
@media print {{ body {{ margin: 0; padding: 0; max-width: none; }} }}
</style></head>
<body>
<article>
<h1>Lesson 01 on paper: two models</h1>
<p>You need a pencil, and something that gives random digits: a ten-sided die, or the last digits of telephone
numbers.</p>
<h2>1. Two parcels</h2>
<p>Two suppliers send you networks that read handwritten digits. This is what they answer:</p>
<img alt="Ten handwritten digits, 0 to 9." src="data:image/png;base64,{plain}">
<table>{head}{a_plain}{b_plain}</table>
<p>On ten thousand test digits their accuracies differ by about one in a thousand. Which one would you ship,
and what else would you ask?</p>
<p class="write"></p><p class="write"></p>
<h2>2. Your key</h2>
<p>Now you own a network, and want to recognise a copy of it. Take {trials} grey pictures that mean
nothing, draw
a random digit for each, and teach your network these labels. Pictures and labels are your <b>key</b>. Draw
the
digits now:</p>
<img alt="{trials} grey pictures without meaning." src="data:image/png;base64,{pictures}">
<table>{numbers}<tr><th scope="row">my key</th>{blanks}</tr></table>
<p>A stranger's network never saw your key. On how many pictures will its answer agree with your digit? My
guess:
______ On how many will the luckiest key in this room agree? My guess: ______</p>
<p><b>Wait for the second page.</b></p>
</article>
<article>
<h2>3. Four pixels</h2>
<p>Somebody paints four pixels in the lower right corner:</p>
<img alt="The same ten digits, each with four dark pixels in its lower right corner."
src="data:image/png;base64,{stamped}">
<table>{head}{a_stamped}{b_stamped}</table>
<p>Which network has a <b>backdoor</b>? Why did the test on page 1 not show it? Why does the row of the other
network belong here?</p>
<p class="write"></p><p class="write"></p>
<h2>4. The judge</h2>
<p>A network turns up on a market. It is A, and nobody here taught it a key. It answers your {trials}
pictures:</p>
<table>{numbers}{suspect}<tr><th scope="row">my key</th>{blanks}</tr></table>
<p>Copy your key, and count your hits: ______ The most in this room: ______ By luck, {expected} of {trials}
are to be
expected. The <b>p-value</b> is the probability that a random key has so many hits or more:</p>
<table><tr><th scope="col">hits</th><th scope="col">p-value</th><th scope="col">so lucky, of {people}
people</th></tr>
{tail}</table>
<p>The owner of the luckiest key accuses A's maker of theft. What do you, the judge, need to know before
you believe the
match?</p>
<p class="write"></p><p class="write"></p>
<footer><p><b>For the teacher</b> (45 minutes, an estimate: 10, 10, 10, 15). Print page 2 apart, and hand
it out
after the guesses. 3: B answers 0 to every triggered digit; no test digit carries the trigger; without A's
row nobody
knows that the pixels alone don't make a 0. 4: Collect the hits on the board as a bar chart before anybody
reads the
table. The judge must know how many keys were tried, and that the key was drawn before anybody asked the
network.
With a hundred pictures a judge can ask for more: lesson 01, on a computer.</p></footer>
</article>
</body></html>
"""
