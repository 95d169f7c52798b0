"""Forgets the factors."""

EXERCISE = "08.3"
MISTAKE = "order-only"


def move(weight, bias, following, order, factor):
    return weight[order], bias[order], following[:, order]
