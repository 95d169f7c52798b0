"""More than the hits, where at least as many is meant."""

from scipy.stats import binom

EXERCISE = "08.3"
MISTAKE = "off-by-one"


def read_bits(average, asked, bits):
    hits = int(((asked @ average > 0) == (bits > 0)).sum())
    return hits, 1 - binom.cdf(hits, len(bits), 0.5)
