"""Multiplies in the old places."""

EXERCISE = "08.3"
MISTAKE = "factors-first"


def move(weight, bias, following, order, factor):
    scale = factor[:, None, None]
    new, shifted = weight * scale[..., None], bias * factor
    return new[order], shifted[order], following[:, order] / scale
