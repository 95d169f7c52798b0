"""One look for all that is not prose: a coloured bar, a calm background, and the same words as plain text."""

from __future__ import annotations

from html import escape

BARS = {  # the words say what a box means, so nothing hangs on telling the hues apart
    "task": "#4a78ad",
    "good": "#2f8f5f",
    "todo": "#c08a1a",
    "bad": "#cc5a24",
}
# JupyterLab's own colours, which follow its theme; the second ones are for pages without a theme
GROUND = "var(--jp-layout-color2, #f2f4f7)"
TEXT = "var(--jp-content-font-color1, #1f2933)"


def box(kind: str, title: str, text: str = "") -> str:
    """Return the HTML of a box, a slim line where there is a title only."""
    space = "padding: 8px 14px; margin: 6px 0;" if text else "padding: 3px 14px; margin: 0;"
    look = f"border-left: 5px solid {BARS[kind]}; background: {GROUND}; color: {TEXT};"
    inside = f"<b>{title}</b><br>{text}" if text else title
    return f'<div style="{look} {space} border-radius: 3px;">{inside}</div>'


def fold(title: str, text: str) -> str:
    """Return a closed `<details>`; the blank lines let Markdown work inside."""
    style = "margin: 4px 0 10px 18px;"
    return f'<details><summary>{title}</summary><div style="{style}">\n\n{text}\n\n</div></details>'


def show_box(kind: str, title: str, text: str = "", *, metadata: dict[str, object] | None = None) -> None:
    """Display a box; a terminal, a screen reader and nbval get `title. text`."""
    html = box(kind, escape(title, quote=False), escape(text, quote=False))
    show_html(html, _plain(title, text), metadata=metadata)


def show_html(html: str, plain: str, *, metadata: dict[str, object] | None = None) -> None:
    """Display HTML, and `plain` where there is no browser."""
    from IPython.display import display  # only where something is shown: wmlearn works without Jupyter

    display({"text/html": html, "text/plain": plain}, raw=True, metadata=metadata or {})


def _plain(title: str, text: str) -> str:
    if not text:
        return title
    return f"{title} {text}" if title[-1] in ".?!" else f"{title}. {text}"
