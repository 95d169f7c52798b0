"""A factor for every channel: k or 1."""

import torch

EXERCISE = "05.2"


def strengthen(weight, bias, channels, k):
    factor = torch.ones_like(weight)
    factor[channels] = k
    return weight * factor, bias * factor
