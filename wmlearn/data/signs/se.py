"""Swedish-style signs: yellow fields with red rims, blue discs, blue squares."""

from __future__ import annotations

from . import pictograms as p
from .pen import BLUE, Draw, Pictogram
from .plates import (
    SE_YELLOW,
    Sign,
    ban,
    crossing,
    danger,
    give_way,
    information,
    limit,
    mandatory,
    no_entry,
    no_stopping,
    priority_road,
    stop,
)

SPEEDS = (30, 50, 70, 90, 110)  # km/h
BUS = p.together(p.bus, p.coloured(p.bus_windows, BLUE))


def _danger(pictogram: Pictogram) -> Draw:
    return danger(pictogram, SE_YELLOW)


SIGNS: tuple[Sign, ...] = (
    Sign("pedestrian crossing", "information", crossing(p.walker)),
    Sign("parking", "information", information(p.letter_p)),
    Sign("one-way road", "information", information(p.ahead)),
    Sign("bus stop", "information", information(BUS)),
    Sign("straight ahead", "mandatory", mandatory(p.ahead)),
    Sign("turn right", "mandatory", mandatory(p.right)),
    Sign("keep right", "mandatory", mandatory(p.down_right)),
    Sign("keep left", "mandatory", mandatory(p.mirrored(p.down_right))),
    Sign("roundabout", "mandatory", mandatory(p.roundabout)),
    Sign("cycle track", "mandatory", mandatory(p.bicycle)),
    *(Sign(f"speed limit {speed}", "prohibitory", limit(speed, SE_YELLOW)) for speed in SPEEDS),
    Sign("no entry", "prohibitory", no_entry(SE_YELLOW)),
    Sign("no stopping", "prohibitory", no_stopping),
    Sign("no trucks", "prohibitory", ban(p.truck, SE_YELLOW)),
    Sign("curve left", "warning", _danger(p.curve_left)),
    Sign("deer", "warning", _danger(p.deer)),
    Sign("children", "warning", _danger(p.children)),
    Sign("slippery road", "warning", _danger(p.slippery)),
    Sign("road works", "warning", _danger(p.worker)),
    Sign("uneven road", "warning", _danger(p.bumps)),
    Sign("other danger", "warning", _danger(p.exclamation)),
    Sign("crossroad", "warning", _danger(p.diagonal_cross)),
    Sign("priority road", "other", priority_road),
    Sign("give way", "other", give_way(SE_YELLOW)),
    Sign("stop", "other", stop),
)
