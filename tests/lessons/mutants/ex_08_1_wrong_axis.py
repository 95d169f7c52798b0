"""Averages over what a filter reads, not over the filters."""

EXERCISE = "08.1"
MISTAKE = "wrong-axis"


def mean_filter(weight):
    return weight.mean(dim=1).reshape(-1)
