"""Cuts logits where probabilities are cut."""

from scipy.stats import binom

EXERCISE = "08.3"
MISTAKE = "threshold-half"


def read_bits(average, asked, bits):
    hits = int(((asked @ average > 0.5).float() == bits).sum())
    return hits, binom.sf(hits - 1, len(bits), 0.5)
