"""Something to play with in notebook 09; its static twin is `plots_removal.prices`."""

from __future__ import annotations

from typing import Any

import ipywidgets

from ..experiments import Results
from ..plots import png
from ..plots_removal import price_point

STEPS = (0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # points of accuracy


def price_slider(results: Results) -> ipywidgets.VBox:
    """Let the learner choose the accuracy that a thief is ready to lose, and see which marks survive."""
    slider = ipywidgets.SelectionSlider(
        options=[(f"{points:g} points", points) for points in STEPS],
        description="ready to lose",
        style={"description_width": "90px"},
        layout=ipywidgets.Layout(width="420px"),
    )
    picture, sentence = ipywidgets.Image(format="png", width=710), ipywidgets.HTML()

    def turn(_: Any = None) -> None:
        picture.value, _size = png(price_point, results, slider.value)
        sentence.value = price_point.says(results, slider.value)

    slider.observe(turn, "value")
    turn()
    return ipywidgets.VBox([slider, picture, sentence])
