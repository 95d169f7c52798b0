"""One look for all that is not prose: a coloured bar, a calm background, and the same words as plain text."""

from __future__ import annotations

from html import escape

COLOURS = {  # bar, background: told apart by lightness too, not by hue alone
    "task": ("#3d5a80", "#eef3f9"),
    "good": ("#23704a", "#edf7f1"),
    "todo": ("#8a5a00", "#fdf6e3"),
    "bad": ("#a3400f", "#fdf1ea"),
}


def box(kind: str, title: str, text: str = "") -> str:
    """Return the HTML of a box, a slim line where there is a title only."""
    bar, ground = COLOURS[kind]
    space = "padding: 8px 14px; margin: 6px 0;" if text else "padding: 3px 14px; margin: 0;"
    # the text colour is set, so that it reads on a dark theme
    style = f"border-left: 5px solid {bar}; background: {ground}; color: #1f2933; {space} border-radius: 3px;"
    if not text:
        return f'<div style="{style}">{title}</div>'
    return f'<div style="{style}"><b style="color: {bar};">{title}</b><br>{text}</div>'


def show_box(kind: str, title: str, text: str = "", *, metadata: dict[str, object] | None = None) -> None:
    """Display a box; a terminal, a screen reader and nbval get `title. text`."""
    from IPython.display import display  # only where something is shown: wmlearn works without Jupyter

    html = box(kind, escape(title, quote=False), escape(text, quote=False))
    bundle = {"text/html": html, "text/plain": _plain(title, text)}
    display(bundle, raw=True, metadata=metadata or {})


def _plain(title: str, text: str) -> str:
    if not text:
        return title
    return f"{title} {text}" if title[-1] in ".?!" else f"{title}. {text}"
