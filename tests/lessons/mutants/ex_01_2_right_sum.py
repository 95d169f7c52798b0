"""The sum of the lesson, term by term."""

from math import comb

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    p = 0.0
    for k in range(hits, trials + 1):
        p += comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
    return p
