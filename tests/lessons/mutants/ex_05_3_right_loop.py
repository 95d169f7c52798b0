"""One channel after the other."""

import copy

import torch

EXERCISE = "05.3"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    with torch.no_grad():
        for channel in channels:
            new[11].weight[channel] *= k
            new[11].bias[channel] *= k
    return new
