"""A line: the smallest losses of strangers that may be accused."""

import math

EXERCISE = "11.3"


def caught(members, strangers, alarms):
    allowed = math.floor(alarms * (1 + len(strangers)) + 1e-9)  # 1 + strangers as small
    if allowed < 1:
        return 0.0
    line = strangers.sort().values[allowed - 1]
    return (members < line).float().mean().item()
