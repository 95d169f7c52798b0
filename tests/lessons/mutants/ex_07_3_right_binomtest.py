"""The same interval from a test."""

from scipy.stats import binomtest

EXERCISE = "07.3"


def innocent_chance(answers, wanted):
    worst = (answers == wanted).float().mean(1).argmax()
    hits = int((answers[worst] == wanted).sum())
    return binomtest(hits, len(wanted)).proportion_ci(0.90, method="exact").high
