"""Something to play with in notebook 09; its static twin is `plots_removal.prices`."""

from __future__ import annotations

import ipywidgets

from ..experiments import Results
from ..plots_removal import price_point
from .widgets import drawn, redrawn

STEPS = (0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # points of accuracy


def price_slider(results: Results) -> ipywidgets.VBox:
    """Let the learner choose the accuracy that a thief is ready to lose, and see which marks survive."""
    slider = ipywidgets.SelectionSlider(
        options=[(f"{points:g} points", points) for points in STEPS],
        description="ready to lose",
        style={"description_width": "90px"},
        layout=ipywidgets.Layout(width="420px"),
    )
    return redrawn(lambda: drawn(price_point, results, slider.value), slider)
