"""Unusually many, or unusually few."""

from scipy.stats import binom

EXERCISE = "08.3"
MISTAKE = "two-sided"


def read_bits(average, asked, bits):
    n = len(bits)
    hits = int(((asked @ average > 0) == (bits > 0)).sum())
    return hits, min(1.0, 2 * binom.sf(max(hits, n - hits) - 1, n, 0.5))
