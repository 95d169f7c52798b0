"""All images are tosses."""

from scipy.stats import binomtest

EXERCISE = "02.4"
MISTAKE = "every-image"


def paired_p(right_a, right_b):
    a = int((right_a & ~right_b).sum())
    return binomtest(a, len(right_a), 0.5).pvalue
