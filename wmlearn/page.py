"""One page of HTML that needs no other file, and runs nothing: its style, its policy, foreign text in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape as as_text

from .words import visible

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:1rem 0}\
th,td{border:1px solid #999;padding:.35rem .7rem;text-align:left;vertical-align:top}
th{background:#f0f0f0}.yes{background:#dcefe0}\
.verdict{font-size:1.25rem;border-left:.4rem solid #333;padding-left:1rem}
code{overflow-wrap:anywhere}
"""


_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
"""What a browser lets the page do: show its own style, and nothing else."""


def escape(text: str) -> str:
    """Write a foreign text as HTML, in which neither a tag nor a sign that turns the direction acts."""
    return as_text(visible(text))


def bullets(lines: Sequence[str]) -> str:
    """Write foreign lines as a list."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write foreign cells as a table below its header."""
    lines = [_cells("th", header), *(_cells("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts) + "</tr>"


def document(title: str, parts: Sequence[str]) -> str:
    """Write a page of that foreign `title` from `parts` of HTML."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head = f'<meta charset="utf-8">{policy}<title>{escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
