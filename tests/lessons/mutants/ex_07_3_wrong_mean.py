"""The average network."""

from scipy.stats import beta

EXERCISE = "07.3"
MISTAKE = "mean"


def innocent_chance(answers, wanted):
    hits = float((answers == wanted).sum()) / len(answers)
    return beta.ppf(0.95, hits + 1, len(wanted) - hits)
