"""The sum of the lesson in whole numbers and fractions, which neither round nor vanish."""

from fractions import Fraction
from math import comb

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    wins, whole = Fraction(chance).as_integer_ratio()
    total = 0
    for k in range(hits, trials + 1):
        total += comb(trials, k) * wins**k * (whole - wins) ** (trials - k)
    return float(Fraction(total, whole**trials))
