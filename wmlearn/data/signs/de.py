"""The 43 signs of the German Traffic Sign Recognition Benchmark, in its order (Stallkamp, Schlipsing, Salmen,
Igel 2012).
"""

from __future__ import annotations

from . import pictograms as p
from .pen import RED, Draw, Pictogram
from .plates import (
    Sign,
    ban,
    danger,
    end,
    end_of_limit,
    give_way,
    limit,
    mandatory,
    no_entry,
    priority_road,
    ring,
    stop,
)

TALL = 1.09  # the benchmark's photographs are scaled to squares, which stretches triangles

_LEFT_CAR = p.placed(p.car, -0.56, 0, 0.44)
_RIGHT_CAR = p.placed(p.car, 0.56, 0, 0.44)
_TRUCK = p.placed(p.truck_behind, -0.5, 0.0, 0.4)
_CAR_BEHIND = p.placed(p.car, 0.56, 0.14, 0.42)
TWO_CARS = p.together(_LEFT_CAR, _RIGHT_CAR)
RED_AND_BLACK_CAR = p.together(p.coloured(_LEFT_CAR, RED), _RIGHT_CAR)
TRUCK_AND_CAR = p.together(_TRUCK, _CAR_BEHIND)
RED_TRUCK_AND_CAR = p.together(p.coloured(_TRUCK, RED), _CAR_BEHIND)


def _danger(pictogram: Pictogram) -> Draw:
    return danger(pictogram, tall=TALL)


SIGNS: tuple[Sign, ...] = (
    Sign("speed limit 20", "speed limit", limit(20)),
    Sign("speed limit 30", "speed limit", limit(30)),
    Sign("speed limit 50", "speed limit", limit(50)),
    Sign("speed limit 60", "speed limit", limit(60)),
    Sign("speed limit 70", "speed limit", limit(70)),
    Sign("speed limit 80", "speed limit", limit(80)),
    Sign("end of speed limit 80", "speed limit", end_of_limit(80)),
    Sign("speed limit 100", "speed limit", limit(100)),
    Sign("speed limit 120", "speed limit", limit(120)),
    Sign("no passing", "other", ban(RED_AND_BLACK_CAR)),
    Sign("no passing for trucks", "other", ban(RED_TRUCK_AND_CAR)),
    Sign("priority at next crossing", "warning", _danger(p.priority)),
    Sign("priority road", "other", priority_road),
    Sign("yield", "other", give_way(tall=TALL)),
    Sign("stop", "stop", stop),
    Sign("no vehicles", "other", ring),
    Sign("no trucks", "other", ban(p.truck)),
    Sign("no entry", "other", no_entry()),
    Sign("general danger", "warning", _danger(p.exclamation)),
    Sign("curve left", "warning", _danger(p.curve_left)),
    Sign("curve right", "warning", _danger(p.mirrored(p.curve_left))),
    Sign("double curve", "warning", _danger(p.double_curve)),
    Sign("uneven road", "warning", _danger(p.bumps)),
    Sign("slippery road", "warning", _danger(p.slippery)),
    Sign("road narrows right", "warning", _danger(p.narrow_right)),
    Sign("road works", "warning", _danger(p.worker)),
    Sign("traffic lights", "warning", _danger(p.signals)),
    Sign("pedestrians", "warning", _danger(p.walker)),
    Sign("children", "warning", _danger(p.children)),
    Sign("bicycles", "warning", _danger(p.bicycle)),
    Sign("snow", "warning", _danger(p.snow)),
    Sign("deer", "warning", _danger(p.deer)),
    Sign("end of all limits", "other", end()),
    Sign("turn right", "other", mandatory(p.right)),
    Sign("turn left", "other", mandatory(p.mirrored(p.right))),
    Sign("straight ahead", "other", mandatory(p.ahead)),
    Sign("straight ahead or right", "other", mandatory(p.ahead_or_right)),
    Sign("straight ahead or left", "other", mandatory(p.mirrored(p.ahead_or_right))),
    Sign("keep right", "other", mandatory(p.down_right)),
    Sign("keep left", "other", mandatory(p.mirrored(p.down_right))),
    Sign("roundabout", "other", mandatory(p.roundabout)),
    Sign("end of no passing", "other", end(TWO_CARS)),
    Sign("end of no passing for trucks", "other", end(TRUCK_AND_CAR)),
)
