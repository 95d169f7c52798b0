"""Mean and standard deviations."""

from math import sqrt
from statistics import NormalDist

EXERCISE = "10.1"
MISTAKE = "bell-curve"


def broken(lines, chance, alpha):
    return sum(
        1 - NormalDist(n * chance, sqrt(n * chance * (1 - chance))).cdf(hits) >= alpha for n, hits in lines
    )
