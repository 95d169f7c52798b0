"""Mean and standard deviations."""

from math import floor, sqrt
from statistics import NormalDist

EXERCISE = "07.2"
MISTAKE = "bell-curve"


def hits_needed(trials, chance, alpha):
    return floor(trials * chance - NormalDist().inv_cdf(alpha) * sqrt(trials * chance * (1 - chance))) + 1
