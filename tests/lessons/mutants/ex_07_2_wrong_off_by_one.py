"""More than h, instead of at least h."""

from scipy.stats import binom

EXERCISE = "07.2"
MISTAKE = "off-by-one"


def hits_needed(trials, chance, alpha):
    hits = 0
    while binom.sf(hits, trials, chance) >= alpha:
        hits += 1
    return hits
