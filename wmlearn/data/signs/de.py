"""The 43 signs of the German Traffic Sign Recognition Benchmark, in its order (Stallkamp, Schlipsing, Salmen, Igel 2012)."""

from __future__ import annotations

from . import pictograms as p
from .pen import RED
from .plates import Sign, ban, danger, end, end_of_limit, give_way, limit, mandatory, no_entry, priority_road, ring, stop

NO_PASSING = p.pair(p.coloured(p.car, RED), p.car)
NO_PASSING_FOR_TRUCKS = p.pair(p.coloured(p.truck_behind, RED), p.car)

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
    Sign("no passing", "other", ban(NO_PASSING)),
    Sign("no passing for trucks", "other", ban(NO_PASSING_FOR_TRUCKS)),
    Sign("priority at next crossing", "warning", danger(p.priority)),
    Sign("priority road", "other", priority_road),
    Sign("yield", "other", give_way()),
    Sign("stop", "stop", stop),
    Sign("no vehicles", "other", ring),
    Sign("no trucks", "other", ban(p.truck)),
    Sign("no entry", "other", no_entry()),
    Sign("general danger", "warning", danger(p.exclamation)),
    Sign("curve left", "warning", danger(p.curve_left)),
    Sign("curve right", "warning", danger(p.mirrored(p.curve_left))),
    Sign("double curve", "warning", danger(p.double_curve)),
    Sign("uneven road", "warning", danger(p.bumps)),
    Sign("slippery road", "warning", danger(p.slippery)),
    Sign("road narrows right", "warning", danger(p.narrow_right)),
    Sign("road works", "warning", danger(p.worker)),
    Sign("traffic lights", "warning", danger(p.signals)),
    Sign("pedestrians", "warning", danger(p.walker)),
    Sign("children", "warning", danger(p.children)),
    Sign("bicycles", "warning", danger(p.bicycle)),
    Sign("snow", "warning", danger(p.snow)),
    Sign("deer", "warning", danger(p.deer)),
    Sign("end of all limits", "other", end()),
    Sign("turn right", "other", mandatory(p.right)),
    Sign("turn left", "other", mandatory(p.mirrored(p.right))),
    Sign("straight ahead", "other", mandatory(p.ahead)),
    Sign("straight ahead or right", "other", mandatory(p.ahead_or_right)),
    Sign("straight ahead or left", "other", mandatory(p.mirrored(p.ahead_or_right))),
    Sign("keep right", "other", mandatory(p.down_right)),
    Sign("keep left", "other", mandatory(p.mirrored(p.down_right))),
    Sign("roundabout", "other", mandatory(p.roundabout)),
    Sign("end of no passing", "other", end(p.pair(p.car, p.car))),
    Sign("end of no passing for trucks", "other", end(p.pair(p.truck_behind, p.car))),
)
