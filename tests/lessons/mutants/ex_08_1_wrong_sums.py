"""Forgets to divide."""

EXERCISE = "08.1"
MISTAKE = "sums"


def mean_filter(weight):
    total = 0
    for filter in weight:
        total = total + filter
    return total.reshape(-1)
