"""Something to play with in notebook 06; its static twin is the picture of one class's trigger at six steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from ..plots import png
from ..plots_detection import Frames, classes


def growing(frames_of: Mapping[str, Frames]) -> ipywidgets.VBox:
    """Let the learner slide through the steps of a search, and see what each class's trigger looks like by then, network by network."""
    steps = list(next(iter(frames_of.values())))
    slider = ipywidgets.SelectionSlider(
        options=steps, value=steps[-1], description="step", layout=ipywidgets.Layout(width="420px"), continuous_update=False
    )
    shown = {name: (ipywidgets.Image(format="png", width=710), ipywidgets.HTML()) for name in frames_of}

    def turn(_: Any = None) -> None:
        for name, (picture, sentence) in shown.items():
            picture.value, _size = png(classes, frames_of[name], slider.value)
            sentence.value = classes.says(frames_of[name], slider.value)

    slider.observe(turn, "value")
    turn()
    rows = [part for name, pair in shown.items() for part in (ipywidgets.HTML(f"<b>{name}</b>"), *pair)]
    return ipywidgets.VBox([slider, *rows])
