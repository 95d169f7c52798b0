"""One tail of the coin."""

from scipy.stats import binom

EXERCISE = "02.4"
MISTAKE = "one-sided"


def paired_p(right_a, right_b):
    a = int((right_a & ~right_b).sum())
    b = int((right_b & ~right_a).sum())
    return binom.sf(max(a, b) - 1, a + b, 0.5) if a + b else 1.0
