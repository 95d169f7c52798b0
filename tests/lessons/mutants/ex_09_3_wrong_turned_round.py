"""Large is believed."""

from scipy.stats import fisher_exact

EXERCISE = "09.3"
MISTAKE = "turned-round"


def left(p, hits, control, n):
    if p > 0.001:
        return 0
    return 1 if fisher_exact([[hits, n - hits], [control, n - control]], alternative="greater").pvalue <= 0.05 else 2
