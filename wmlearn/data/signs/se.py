"""Swedish-style signs: yellow fields with red rims, blue discs, blue squares."""

from __future__ import annotations

from . import pictograms as p
from .pen import Pictogram
from .plates import SE_YELLOW, Draw, Sign, crossing, danger, give_way, information, limit, mandatory, no_entry, no_stopping, priority_road
from .plates import ban as _ban
from .plates import stop as _stop


def _danger(pictogram: Pictogram) -> Draw:
    return danger(pictogram, SE_YELLOW)


SPEEDS = (30, 50, 70, 90, 110)  # km/h

SIGNS: tuple[Sign, ...] = (
    Sign("pedestrian crossing", "information", crossing(p.walker)),
    Sign("parking", "information", information(p.letter_p)),
    Sign("one-way road", "information", information(p.ahead, scale=0.75)),
    Sign("bus stop", "information", information(p.bus)),
    Sign("straight ahead", "mandatory", mandatory(p.ahead)),
    Sign("turn right", "mandatory", mandatory(p.right)),
    Sign("keep right", "mandatory", mandatory(p.down_right)),
    Sign("keep left", "mandatory", mandatory(p.mirrored(p.down_right))),
    Sign("roundabout", "mandatory", mandatory(p.roundabout)),
    Sign("cycle track", "mandatory", mandatory(p.bicycle)),
    *(Sign(f"speed limit {speed}", "prohibitory", limit(speed, SE_YELLOW)) for speed in SPEEDS),
    Sign("no entry", "prohibitory", no_entry(SE_YELLOW)),
    Sign("no stopping", "prohibitory", no_stopping),
    Sign("no trucks", "prohibitory", _ban(p.truck, SE_YELLOW)),
    Sign("curve left", "warning", _danger(p.curve_left)),
    Sign("deer", "warning", _danger(p.deer)),
    Sign("children", "warning", _danger(p.children)),
    Sign("slippery road", "warning", _danger(p.slippery)),
    Sign("road works", "warning", _danger(p.worker)),
    Sign("uneven road", "warning", _danger(p.bumps)),
    Sign("other danger", "warning", _danger(p.exclamation)),
    Sign("crossroad", "warning", _danger(p.crossroad)),
    Sign("priority road", "other", priority_road),
    Sign("give way", "other", give_way(SE_YELLOW)),
    Sign("stop", "other", _stop),
)
