"""One minus what lies below the line."""

from scipy.stats import binom

EXERCISE = "10.1"


def broken(lines, chance, alpha):
    return len([hits for n, hits in lines if 1 - binom.cdf(hits - 1, n, chance) >= alpha])
