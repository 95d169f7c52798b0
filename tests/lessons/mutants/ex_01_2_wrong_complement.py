"""Add up the outcomes below `hits`."""

from math import comb

EXERCISE = "01.2"
MISTAKE = "complement"


def p_value(hits, trials, chance):
    return sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(hits))
