"""All networks at once; a NumPy number comes back."""

from scipy.stats import beta

EXERCISE = "07.3"


def innocent_chance(answers, wanted):
    hits = (answers.numpy() == wanted.numpy()).sum(axis=1)
    return beta.ppf(0.95, hits + 1, len(wanted) - hits).max()
