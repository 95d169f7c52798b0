"""The thing to play with in notebook 04; `plots_street.scenes` is its static twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
from torch import nn

from ..data.signs.street import Street
from ..detector import detect
from ..plots_street import scenes
from .widgets import drawn, redrawn


def street_switch(networks: Mapping[str, nn.Module], streets: Mapping[str, Street], numbers: Sequence[int]) -> ipywidgets.VBox:
    """Let the learner choose a detector, a scene and a sticker, and see what is read.

    `streets` hold the same scenes by sticker ("none", "square", …); `numbers` are those to choose from.
    """
    style = {"style": {"description_width": "70px"}, "layout": ipywidgets.Layout(width="420px")}
    who = ipywidgets.Dropdown(options=list(networks), description="detector", **style)
    sticker = ipywidgets.ToggleButtons(options=list(streets), description="sticker", style={"button_width": "80px"})
    scene = ipywidgets.SelectionSlider(options=[(str(i + 1), n) for i, n in enumerate(numbers)], description="scene", **style)

    def look() -> tuple[bytes, str]:
        name, kind = str(who.value), str(sticker.value)
        x = streets[kind].x[[scene.value]]
        return drawn(scenes, {f"{name}, sticker: {kind}": (x, detect(networks[name], x))}, streets[kind].classes)

    return redrawn(look, who, scene, sticker, width=420)
