"""The others get nothing."""

import copy

import torch

EXERCISE = "05.3"
MISTAKE = "silences-the-rest"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    factor = torch.zeros_like(new[11].weight)
    factor[channels] = k
    with torch.no_grad():
        new[11].weight *= factor
        new[11].bias *= factor
    return new
