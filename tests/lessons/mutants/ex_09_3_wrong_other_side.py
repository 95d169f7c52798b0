"""Less, not more."""

from scipy.stats import fisher_exact

EXERCISE = "09.3"
MISTAKE = "other-side"


def left(p, hits, control, n):
    if p <= 0.001:
        return 0
    return 1 if fisher_exact([[hits, n - hits], [control, n - control]], alternative="less").pvalue <= 0.05 else 2
