"""Signs of the United States, after the Manual on Uniform Traffic Control Devices."""

from __future__ import annotations

from . import pictograms as p
from .plates import Sign, stop, us_limit, us_warning

SPEEDS = (25, 30, 35, 45, 55, 65)  # miles an hour

SIGNS: tuple[Sign, ...] = (
    Sign("stop", "stop", stop),
    *(Sign(f"speed limit {speed}", "speed limit", us_limit(speed)) for speed in SPEEDS),
    Sign("warning: curve left", "warning", us_warning(p.bend_left)),
    Sign("warning: curve right", "warning", us_warning(p.mirrored(p.bend_left))),
    Sign("warning: turn right", "warning", us_warning(p.mirrored(p.turn_left))),
    Sign("warning: crossroad", "warning", us_warning(p.crossroad)),
    Sign("warning: side road", "warning", us_warning(p.side_road)),
    Sign("warning: T junction", "warning", us_warning(p.tee)),
    Sign("warning: signals ahead", "warning", us_warning(p.signals_framed)),
    Sign("warning: stop ahead", "warning", us_warning(p.stop_ahead)),
    Sign("warning: merge", "warning", us_warning(p.merge)),
    Sign("warning: two-way traffic", "warning", us_warning(p.two_way)),
    Sign("warning: pedestrians", "warning", us_warning(p.walker)),
    Sign("warning: deer", "warning", us_warning(p.placed(p.deer, 0, 0, 0.9))),
    Sign("warning: slippery road", "warning", us_warning(p.slippery_upright)),
)
