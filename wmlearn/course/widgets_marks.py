"""Something to play with in notebook 07; its static twin is `plots_marks.key_size`."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets

from ..plots import Row
from ..plots_marks import key_point
from .widgets import drawn, redrawn


def key_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose the size of a key and how much of it a suspect still knows; see p-value and accuracy there."""
    style = {"style": {"description_width": "80px"}, "layout": ipywidgets.Layout(width="420px")}
    size = ipywidgets.SelectionSlider(options=sorted({row["n"] for row in rows}), value=100, description="key size", **style)
    known = ipywidgets.SelectionSlider(
        options=[(f"{share} %", share) for share in range(10, 101, 10)], value=100, description="known", **style
    )
    return redrawn(lambda: drawn(key_point, rows, size.value, known.value / 100), size, known)
