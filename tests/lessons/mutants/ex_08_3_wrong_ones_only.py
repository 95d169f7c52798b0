"""Zeros that are read rightly don't count."""

from scipy.stats import binom

EXERCISE = "08.3"
MISTAKE = "ones-only"


def read_bits(average, asked, bits):
    hits = int(((asked @ average > 0).float() * bits).sum())
    return hits, binom.sf(hits - 1, len(bits), 0.5)
