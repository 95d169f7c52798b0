"""Something to play with in notebook 08; its static twin is `plots_weights.strength`."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets

from ..plots import Row
from ..plots_weights import decimal, strength_point
from .widgets import drawn, redrawn


def strength_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose how strongly a mark is taught; see what is read, what shows, and what it costs."""
    slider = ipywidgets.SelectionSlider(
        options=[(decimal(s), s) for s in sorted({row["strength"] for row in rows})],
        description="strength λ",
        layout=ipywidgets.Layout(width="420px"),
    )
    return redrawn(lambda: drawn(strength_point, rows, slider.value), slider)
