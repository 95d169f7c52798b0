"""More than h."""

from scipy.stats import hypergeom

EXERCISE = "12.2"
MISTAKE = "off-by-one"


def lot_p(wrong, lot):
    n, outside, errors, h = len(lot), int((~lot).sum()), int(wrong.sum()), int((wrong & ~lot).sum())
    return hypergeom.sf(h, n, outside, errors)
