"""Something to play with in notebook 05; its static twin is the picture of signs as networks of three strengths read them."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets
from torch import nn

from ..data import Samples
from ..plots import Readings, png
from ..plots_signs import TRUTH, seen
from ..plots_transfer import Curve, strength_point
from .lessons import lesson_05
from .widgets import drawn, redrawn


def strength_dial(sold: Mapping[str, Mapping[int, nn.Module]], curves: Mapping[str, Curve], stuck: Samples) -> ipywidgets.VBox:
    """Let the learner slide the strength k, and see both origins' accuracy there and what their buyers' networks read.

    `sold` holds the retrained networks by origin and k, `curves` what was measured of them, `stuck` signs with the square.
    """
    strengths, shown = list(next(iter(sold.values()))), lesson_05.bright(stuck)
    slider = ipywidgets.SelectionSlider(
        options=strengths, description="strength k", layout=ipywidgets.Layout(width="420px"), continuous_update=False
    )

    def look() -> tuple[bytes, bytes, str]:
        graph, sentence = drawn(strength_point, curves, lesson_05.PAPER_CURVE, slider.value)
        readings: Readings = {TRUTH: [stuck.classes[label] for label in shown.y.tolist()]}
        for name, networks in sold.items():
            (answers,) = lesson_05.readings({slider.value: networks[slider.value]}, shown.x, stuck.classes).values()
            readings[name.removesuffix(" origin")] = answers
        picture, _size = png(seen, shown.x, readings)
        return graph, picture, sentence

    return redrawn(look, slider)
