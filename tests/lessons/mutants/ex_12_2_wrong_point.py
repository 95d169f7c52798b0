"""Exactly as many."""

from scipy.stats import hypergeom

EXERCISE = "12.2"
MISTAKE = "point"


def lot_p(wrong, lot):
    n, outside, errors, h = len(lot), int((~lot).sum()), int(wrong.sum()), int((wrong & ~lot).sum())
    return hypergeom.pmf(h, n, outside, errors)
