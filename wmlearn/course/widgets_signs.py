"""Things to play with in notebook 03; the static twin is `lesson_03.places`."""

from __future__ import annotations

from typing import Any

import ipywidgets
from torch import nn

from ..data.signs import in_good_light
from ..plots import png
from ..plots_signs import seen
from .lessons import lesson_03
from .widgets import redrawn


def sticker_dial(network: nn.Module) -> ipywidgets.VBox:
    """Let the learner move, size and turn the square on stop signs, and see what `network` reads in photographs that training never saw."""
    style: dict[str, Any] = {"style": {"description_width": "60px"}, "layout": ipywidgets.Layout(width="420px"), "continuous_update": False}
    size = ipywidgets.FloatSlider(value=0.2, min=0.05, max=0.4, step=0.01, description="size", **style)
    height = ipywidgets.FloatSlider(value=0.58, min=-0.8, max=0.8, step=0.02, description="down", **style)
    turn = ipywidgets.FloatSlider(value=0.0, min=-1.5, max=1.5, step=0.1, description="turn", **style)

    def look() -> tuple[bytes, str]:
        x, share = lesson_03.dial(network, lesson_03.just_so(size.value, height.value, turn.value))
        shown = in_good_light(x)
        picture, _size = png(seen, shown, {"it reads": lesson_03.readings(network, shown)})
        return picture, f"<b>{100 * share:.0f} %</b> of {len(x)} stop signs are read as a speed limit."

    return redrawn(look, size, height, turn)
