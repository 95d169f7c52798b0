"""The sum of the lesson in whole numbers and fractions, which neither round nor vanish."""

from fractions import Fraction
from math import comb

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    p = Fraction(chance)
    total = Fraction(0)
    for k in range(hits, trials + 1):
        total += comb(trials, k) * p**k * (1 - p) ** (trials - k)
    return float(total)
