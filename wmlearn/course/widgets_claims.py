"""Something to play with in notebook 10; its static twin is `plots_claims.power`."""

from __future__ import annotations

import ipywidgets

from ..plots_claims import power_point
from .widgets import drawn, redrawn


def power_dial() -> ipywidgets.VBox:
    """Let the learner choose the level, how many triggers are opened, and what is left of the mark; see how often the claim succeeds."""
    style = {"style": {"description_width": "80px"}, "layout": ipywidgets.Layout(width="420px")}
    level = ipywidgets.SelectionSlider(options=[("5 %", 0.05), ("1 %", 0.01), ("0.1 %", 1e-3), ("one in a million", 1e-6)], **style)
    level.description, level.value = "level", 1e-3
    opened = ipywidgets.IntSlider(value=30, min=5, max=200, description="opened", continuous_update=False, **style)
    left = ipywidgets.SelectionSlider(
        options=[(f"{share} %", share) for share in range(10, 101, 10)], value=70, description="left", **style
    )
    return redrawn(lambda: drawn(power_point, level.value, opened.value, left.value / 100), level, opened, left)
