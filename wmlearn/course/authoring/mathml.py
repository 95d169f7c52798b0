"""Formulas as MathML, which browsers show and screen readers read without a script."""

from __future__ import annotations

import re
from typing import Any

from ...errors import require


def mathml(latex: str, *, block: bool = False) -> str:
    """Write a formula as MathML, in a line of its own where it is a `block`.

    Raises `ArgumentError` for a command that isn't known: it would stand in the page as it is.
    """
    from latex2mathml.converter import convert

    known = re.sub(r"(\\[bB]igg?)\\\|", r"\1‖", latex.strip())  # which the converter leaves as it is
    markup = convert(known, display="block" if block else "inline")
    require("\\" not in markup, "a formula must use commands that MathML has", latex)
    return markup


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx to write formulas this way."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: Any) -> None:
    _put(writer, mathml(node.astext()))


def _block(writer: Any, node: Any) -> None:
    _put(writer, f'<div class="formula">{mathml(node.astext(), block=True)}</div>')


def _put(writer: Any, markup: str) -> None:
    from docutils.nodes import SkipNode

    writer.body.append(markup)
    raise SkipNode
