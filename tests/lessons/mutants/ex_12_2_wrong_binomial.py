"""Each error by itself."""

from scipy.stats import binom

EXERCISE = "12.2"
MISTAKE = "binomial"


def lot_p(wrong, lot):
    n, outside, errors, h = len(lot), int((~lot).sum()), int(wrong.sum()), int((wrong & ~lot).sum())
    return binom.sf(h - 1, errors, outside / n)
