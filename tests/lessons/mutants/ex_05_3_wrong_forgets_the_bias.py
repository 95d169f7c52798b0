"""Only the weight grows."""

import copy

import torch

EXERCISE = "05.3"
MISTAKE = "forgets-the-bias"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    with torch.no_grad():
        new[11].weight[channels] *= k
    return new
