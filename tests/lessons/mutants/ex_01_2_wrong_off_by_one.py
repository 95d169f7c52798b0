"""More than `hits` instead of at least `hits`."""

from math import comb

EXERCISE = "01.2"
MISTAKE = "off-by-one"


def p_value(hits, trials, chance):
    return sum(
        comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(hits + 1, trials + 1)
    )
