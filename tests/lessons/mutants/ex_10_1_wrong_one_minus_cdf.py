"""One minus what lies below the line: right on paper."""

from scipy.stats import binom

EXERCISE = "10.1"
MISTAKE = "one-minus-cdf"


def broken(lines, chance, alpha):
    return len([hits for n, hits in lines if 1 - binom.cdf(hits - 1, n, chance) >= alpha])
