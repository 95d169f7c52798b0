"""The lower tail."""

from scipy.stats import hypergeom

EXERCISE = "12.2"
MISTAKE = "inside"


def lot_p(wrong, lot):
    n, outside, errors, h = len(lot), int((~lot).sum()), int(wrong.sum()), int((wrong & ~lot).sum())
    return hypergeom.cdf(h, n, outside, errors)
