"""Every channel grows."""

import copy

import torch

EXERCISE = "05.3"
MISTAKE = "everything"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    with torch.no_grad():
        new[11].weight *= k
        new[11].bias *= k
    return new
