"""Nested questions."""

EXERCISE = "09.3"


def decide(before, after, p_before, p_after):
    if p_before < 0.001:
        if after / before >= 0.9:
            return 3 - (p_after < 0.001)
        return 1
    return 0
