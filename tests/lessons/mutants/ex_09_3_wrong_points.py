"""Ten points."""

EXERCISE = "09.3"
MISTAKE = "points"


def decide(before, after, p_before, p_after):
    if p_before >= 0.001:
        return 0
    if after < before - 0.1:
        return 1
    return 2 if p_after < 0.001 else 3
