"""What an examination found, as a table for a terminal, as JSON for machines, and as one page for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from ..page import bullets, document, escape
from ..words import visible
from .examination import Examination, Finding

VERSION = 1
LIMITS = (
    "A detector that finds nothing proves nothing: each finds some kinds of backdoors only, and attackers"
    " know them.",
    "A detector that finds something is no verdict: networks without a backdoor raise alarms, too. Compare"
    " each number with its control, and look at the images.",
    "What is promised of false alarms holds for clean images like those that were given. Where nothing is"
    " promised, limits were set on small networks; on yours, only the controls say how often they are wrong.",
)


def to_text(examination: Examination) -> str:
    """Say every finding in a few lines."""
    lines = [_summary(examination), *examination.notes]
    for finding in examination.findings:
        seconds = f" ({finding.seconds:.1f} s)" if finding.state == "ran" else ""
        lines += ["", f"{visible(finding.detector)}: {finding.state}{seconds}"]
        lines += _indented("found", finding.found)
        if finding.state == "ran":
            lines += _indented("control", finding.control)
        lines += [*_indented("needs", finding.needs), *_indented("level", finding.level)]
    return "\n".join(lines)


def _indented(head: str, text: str) -> list[str]:
    return textwrap.wrap(f"{head}: {visible(text)}", 100, initial_indent="  ", subsequent_indent="    ")


def _summary(examination: Examination) -> str:
    return (
        f"{examination.accuracy:.1%} of {examination.images:,} clean images of {len(examination.classes)}"
        " classes are classified correctly."
    )


def to_json(examination: Examination, about: Sequence[str] = ()) -> str:
    """Write everything as JSON; `about` are lines about the model and the data."""
    content = {"kind": "examination", "version": VERSION, "about": list(about), **examination.dicts()}
    return json.dumps({**content, "limits": LIMITS}, indent=1, ensure_ascii=False, allow_nan=False)


def to_html(examination: Examination, about: Sequence[str] = ()) -> str:
    """Write one page that needs no other file, and runs nothing; `about` are lines about the model and the
    data.
    """
    title = "Is there a backdoor?"
    heads = ("detector", "needs", "found", "control", "level")
    head = "".join(f'<th scope="col">{word}</th>' for word in heads)
    rows = "".join(map(_row, examination.findings))
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="verdict">{escape(_summary(examination))}</p>',
        bullets((*about, *examination.notes)),
        f"<table><tr>{head}</tr>{rows}</table>",
        "<h2>What this does not prove</h2>",
        bullets(LIMITS),
    ]
    return document(title, parts)


def _row(finding: Finding) -> str:
    state = "" if finding.state == "ran" else f"<b>{finding.state}</b><br>"
    cells = (finding.needs, finding.found, finding.control, finding.level)
    first, *others = [f"<td>{escape(cell)}</td>" for cell in cells]
    found = others[0].replace("<td>", f"<td>{state}", 1)
    return f'<tr><th scope="row">{escape(finding.detector)}</th>{first}{found}{"".join(others[1:])}</tr>'
