"""Forgets the next layer."""

EXERCISE = "08.3"
MISTAKE = "next-untouched"


def move(weight, bias, following, order, factor):
    return weight[order] * factor[:, None, None, None], bias[order] * factor, following
