"""Puts the channels last before flattening."""

EXERCISE = "08.1"
MISTAKE = "reordered"


def mean_filter(weight):
    return weight.movedim(1, -1).mean(0).reshape(-1)
