"""Moves the next layer's filters instead of its inputs."""

EXERCISE = "08.3"
MISTAKE = "wrong-axis"


def move(weight, bias, following, order, factor):
    scale = factor[:, None, None, None]
    return weight[order] * scale, bias[order] * factor, following[order] / scale
