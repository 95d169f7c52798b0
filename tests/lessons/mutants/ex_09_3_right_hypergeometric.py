"""The tail of the hypergeometric distribution, which Fisher's test sums."""

from scipy.stats import hypergeom

EXERCISE = "09.3"


def left(p, hits, control, n):
    if p <= 0.001:
        return 0
    return 1 if hypergeom.sf(hits - 1, 2 * n, hits + control, n) <= 0.05 else 2
