"""Multiply the chance once for each hit, and forget where the misses were."""

EXERCISE = "01.2"
MISTAKE = "only-the-hits"


def p_value(hits, trials, chance):
    p = 1.0
    for _ in range(hits):
        p *= chance
    return p
