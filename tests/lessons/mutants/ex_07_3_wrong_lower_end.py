"""The parameters of the other end."""

from scipy.stats import beta

EXERCISE = "07.3"
MISTAKE = "lower-end"


def innocent_chance(answers, wanted):
    hits = max((one == wanted).sum().item() for one in answers)
    misses = len(wanted) - hits
    return beta(hits, misses + 1).isf(0.05)
