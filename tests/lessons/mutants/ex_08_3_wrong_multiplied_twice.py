"""Both layers multiply."""

EXERCISE = "08.3"
MISTAKE = "multiplied-twice"


def move(weight, bias, following, order, factor):
    scale = factor[:, None, None]
    return weight[order] * scale[..., None], bias[order] * factor, following[:, order] * scale
