"""Two shares, as if of different images."""

from scipy.stats import fisher_exact

EXERCISE = "02.4"
MISTAKE = "unpaired"


def paired_p(right_a, right_b):
    a, b, n = int(right_a.sum()), int(right_b.sum()), len(right_a)
    return fisher_exact([[a, n - a], [b, n - b]])[1]
