"""Something to play with in notebook 08; its static twin is `plots_weights.strength`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from ..plots import Row, png
from ..plots_weights import decimal, strength_point


def strength_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose how strongly a mark is taught; see what is read, what shows, and what it costs."""
    slider = ipywidgets.SelectionSlider(
        options=[(decimal(s), s) for s in sorted({row["strength"] for row in rows})],
        description="strength λ",
        layout=ipywidgets.Layout(width="420px"),
    )
    picture, sentence = ipywidgets.Image(format="png", width=710), ipywidgets.HTML()

    def turn(_: Any = None) -> None:
        picture.value, _size = png(strength_point, rows, slider.value)
        sentence.value = strength_point.says(rows, slider.value)

    slider.observe(turn, "value")
    turn()
    return ipywidgets.VBox([slider, picture, sentence])
