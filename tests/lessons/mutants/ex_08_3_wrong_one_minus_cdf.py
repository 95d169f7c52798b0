"""One minus the probability of fewer: right on paper."""

from scipy import stats

EXERCISE = "08.3"
MISTAKE = "one-minus-cdf"


def read_bits(average, asked, bits):
    hits = int(((asked @ average > 0) == (bits > 0)).sum())
    return hits, 1 - stats.binom(len(bits), 0.5).cdf(hits - 1)
