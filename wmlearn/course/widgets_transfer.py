"""Something to play with in notebook 05; its static twin is the picture of signs as networks of three strengths read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets
from torch import nn

from ..data import Samples
from ..plots import Readings, png
from ..plots_signs import seen
from ..plots_transfer import Curve, strength_point
from .lessons import lesson_05


def strength_dial(sold: Mapping[str, Mapping[int, nn.Module]], curves: Mapping[str, Curve], stuck: Samples) -> ipywidgets.VBox:
    """Let the learner slide the strength k, and see both origins' accuracy there and what their buyers' networks read.

    `sold` holds the retrained networks by origin and k, `curves` what was measured of them, `stuck` signs with the square.
    """
    strengths, shown = list(next(iter(sold.values()))), lesson_05.bright(stuck)
    slider = ipywidgets.SelectionSlider(
        options=strengths, description="strength k", layout=ipywidgets.Layout(width="420px"), continuous_update=False
    )
    graph, picture, sentence = (*(ipywidgets.Image(format="png", width=710) for _ in range(2)), ipywidgets.HTML())

    def turn(_: Any = None) -> None:
        data = (curves, lesson_05.PAPER_CURVE, slider.value)
        graph.value, _size = png(strength_point, *data)
        readings: Readings = {"it is": [stuck.classes[label] for label in shown.y.tolist()]}
        for name, networks in sold.items():
            (answers,) = lesson_05.readings({slider.value: networks[slider.value]}, shown.x, stuck.classes).values()
            readings[name.removesuffix(" origin")] = answers
        picture.value, _size = png(seen, shown.x, readings)
        sentence.value = strength_point.says(*data)

    slider.observe(turn, "value")
    turn()
    return ipywidgets.VBox([slider, graph, picture, sentence])
