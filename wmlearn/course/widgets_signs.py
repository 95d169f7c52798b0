"""Things to play with in notebook 03; the static twin is `lesson_03.places`."""

from __future__ import annotations

from typing import Any

import ipywidgets
from torch import nn

from ..data.signs import in_good_light
from ..plots import png
from ..plots_signs import seen
from .lessons import lesson_03


def sticker_dial(network: nn.Module) -> ipywidgets.VBox:
    """Let the learner move, size and turn the square on stop signs, and see what `network` reads in fresh photographs."""
    style: dict[str, Any] = {"style": {"description_width": "60px"}, "layout": ipywidgets.Layout(width="420px"), "continuous_update": False}
    size = ipywidgets.FloatSlider(value=0.2, min=0.05, max=0.4, step=0.01, description="size", **style)
    height = ipywidgets.FloatSlider(value=0.58, min=-0.8, max=0.8, step=0.02, description="down", **style)
    turn = ipywidgets.FloatSlider(value=0.0, min=-1.5, max=1.5, step=0.1, description="turn", **style)
    picture, sentence = ipywidgets.Image(format="png", width=710), ipywidgets.HTML()

    def look(_: Any = None) -> None:
        x, share = lesson_03.dial(network, lesson_03.just_so(size.value, height.value, turn.value))
        shown = in_good_light(x)
        picture.value, _size = png(seen, shown, {"it reads": lesson_03.readings(network, shown)})
        sentence.value = f"<b>{share:.0%}</b> of {len(x)} stop signs are read as a speed limit."

    for slider in (size, height, turn):
        slider.observe(look, "value")
    look()
    return ipywidgets.VBox([size, height, turn, picture, sentence])
