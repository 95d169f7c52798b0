"""A factor for every channel: k for the chosen, 1 for the others."""

import copy

import torch

EXERCISE = "05.3"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    factor = torch.ones_like(new[11].weight)
    factor[channels] = k
    new[11].weight.data *= factor
    new[11].bias.data *= factor
    return new
