"""The next layer reads in the reverse order."""

import torch

EXERCISE = "08.3"
MISTAKE = "undone"


def move(weight, bias, following, order, factor):
    back = torch.argsort(order)
    scale = factor[:, None, None]
    return weight[order] * scale[..., None], bias[order] * factor, following[:, back] / scale
