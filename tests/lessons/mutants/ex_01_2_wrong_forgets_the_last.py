"""The sum of the lesson, but range leaves its end out."""

from math import comb

EXERCISE = "01.2"
MISTAKE = "forgets-the-last"


def p_value(hits, trials, chance):
    return sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(hits, trials))
