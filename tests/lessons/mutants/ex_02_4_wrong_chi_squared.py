"""The textbook's approximation."""

from scipy.stats import chi2

EXERCISE = "02.4"
MISTAKE = "chi-squared"


def paired_p(right_a, right_b):
    a = int((right_a & ~right_b).sum())
    b = int((right_b & ~right_a).sum())
    return chi2.sf((a - b) ** 2 / (a + b), df=1) if a + b else 1.0
