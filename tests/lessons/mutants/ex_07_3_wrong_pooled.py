"""All answers in one pot."""

from scipy.stats import beta

EXERCISE = "07.3"
MISTAKE = "pooled"


def innocent_chance(answers, wanted):
    hits, n = int((answers == wanted).sum()), answers.numel()
    return beta.ppf(0.95, hits + 1, n - hits)
