"""The interval of a test that looks both ways."""

from scipy.stats import binomtest

EXERCISE = "07.3"
MISTAKE = "two-sided"


def innocent_chance(answers, wanted):
    hits = max((one == wanted).sum().item() for one in answers)
    return binomtest(hits, len(wanted)).proportion_ci(0.95, method="exact").high
