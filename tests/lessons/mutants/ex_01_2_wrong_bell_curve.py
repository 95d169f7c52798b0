"""How many deviations above the mean, and the tail of the normal distribution."""

from math import erfc, sqrt

EXERCISE = "01.2"
MISTAKE = "bell-curve"


def p_value(hits, trials, chance):
    z = (hits - trials * chance) / sqrt(trials * chance * (1 - chance))
    return erfc(z / sqrt(2)) / 2
