"""The chance of a digit, not of a bit."""

from scipy.stats import binom

EXERCISE = "08.3"
MISTAKE = "one-tenth"


def read_bits(average, asked, bits):
    hits = int(((asked @ average > 0) == (bits > 0)).sum())
    return hits, binom.sf(hits - 1, len(bits), 1 / 10)
