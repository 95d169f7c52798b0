"""One minus the probability of fewer."""

from scipy import stats

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    return 1 - stats.binom(trials, chance).cdf(hits - 1)
