"""Pictures and tables that can also be read: a picture carries a sentence computed from the plotted data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

from ..plots.canvas import Described, picture
from ..words import text_table


def show(plot: Described, *data: Any) -> None:
    """Draw `plot(*data)` at twice the screen's resolution, and say below, folded, what it shows.

    JupyterLab and nbconvert read no other text of a picture to those who can't see it.
    """
    from IPython.display import display  # only where something is shown: wmlearn works without Jupyter

    drawn = picture(plot, *data)
    bundle = {"image/png": base64.b64encode(drawn.png).decode(), "text/plain": drawn.says}
    look = {"width": drawn.width, "height": drawn.height, "alt": drawn.says}
    display(bundle, raw=True, metadata={"image/png": look})
    words = f"<details><summary>This picture in words</summary>{escape(drawn.says, quote=False)}</details>"
    display({"text/html": words, "text/plain": drawn.says}, raw=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Display a table: first column left, the others right; as HTML and as plain text."""
    from IPython.display import display  # as in show

    display({"text/html": html_table(header, rows), "text/plain": text_table(header, rows)}, raw=True)


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as HTML."""
    body = "".join(_row("td", row) for row in rows)
    return f'<table style="margin: 6px 0;"><thead>{_row("th", header)}</thead><tbody>{body}</tbody></table>'


def _row(tag: str, cells: Sequence[str]) -> str:
    sides = ["left"] + ["right"] * (len(cells) - 1)
    return f"<tr>{''.join(_cell(tag, cell, side) for cell, side in zip(cells, sides, strict=True))}</tr>"


def _cell(tag: str, text: str, side: str) -> str:
    style = f"padding: 5px 12px; font-size: 14px; text-align: {side};"
    return f'<{tag} style="{style}">{escape(text, quote=False)}</{tag}>'
