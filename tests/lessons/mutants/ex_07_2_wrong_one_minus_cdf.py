"""One minus the probability of fewer: right on paper."""

from scipy import stats

EXERCISE = "07.2"
MISTAKE = "one-minus-cdf"


def hits_needed(trials, chance, alpha):
    hits = 0
    while 1 - stats.binom(trials, chance).cdf(hits - 1) >= alpha:
        hits += 1
    return hits
