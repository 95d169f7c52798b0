"""The bias stays."""

EXERCISE = "08.3"
MISTAKE = "bias-stays"


def move(weight, bias, following, order, factor):
    return weight[order] * factor[:, None, None, None], bias, following[:, order] / factor[:, None, None]
