"""The tail, summed."""

from scipy.stats import hypergeom

EXERCISE = "12.2"


def lot_p(wrong, lot):
    errors, outside = int(wrong.sum()), int((lot == 0).sum())
    h = int(wrong[~lot].sum())
    return sum(hypergeom.pmf(k, len(lot), errors, outside) for k in range(h, errors + 1))
