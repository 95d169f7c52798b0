"""More than the line, instead of at least the line."""

from scipy.stats import binom

EXERCISE = "10.1"
MISTAKE = "off-by-one"


def broken(lines, chance, alpha):
    return sum(1 - binom.cdf(hits, n, chance) >= alpha for n, hits in lines)
