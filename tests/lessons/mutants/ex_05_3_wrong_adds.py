"""Plus k in place of times k."""

import copy

import torch

EXERCISE = "05.3"
MISTAKE = "adds"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    with torch.no_grad():
        new[11].weight[channels] += k
        new[11].bias[channels] += k
    return new
