"""SciPy knows the entropy, 0 log 0 included."""

from scipy.stats import entropy

EXERCISE = "08.4"


def capacity(n, rate):
    return n * (1 - entropy([rate, 1 - rate], base=2))
