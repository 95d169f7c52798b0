"""Something to play with in notebook 06; its static twin is the picture of one class's trigger at six steps."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets

from ..plots_detection import Frames, classes
from .widgets import drawn, redrawn


def growing(frames_of: Mapping[str, Frames]) -> ipywidgets.VBox:
    """Let the learner slide through the steps of a search, and see what each class's trigger looks like by then, network by network."""
    steps = list(next(iter(frames_of.values())))
    slider = ipywidgets.SelectionSlider(
        options=steps, value=steps[-1], description="step", layout=ipywidgets.Layout(width="420px"), continuous_update=False
    )

    def look() -> list[bytes | str]:
        return [part for name, frames in frames_of.items() for part in (f"<b>{name}</b>", *drawn(classes, frames, slider.value))]

    return redrawn(look, slider)
