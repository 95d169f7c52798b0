"""One minus the probability of fewer: right on paper."""

from scipy import stats

EXERCISE = "01.2"
MISTAKE = "one-minus-cdf"


def p_value(hits, trials, chance):
    return 1 - stats.binom(trials, chance).cdf(hits - 1)
