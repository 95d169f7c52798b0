"""Count down from the top while the tail is thin."""

from scipy.stats import binom

EXERCISE = "07.2"


def hits_needed(trials, chance, alpha):
    hits = trials + 1
    while hits > 0 and binom.sf(hits - 2, trials, chance) < alpha:
        hits -= 1
    return hits
