"""The weights of the convolution before the normalisation grow."""

import copy

import torch

EXERCISE = "05.3"
MISTAKE = "scales-the-convolution"


def strengthen(network, channels, k):
    new = copy.deepcopy(network)
    with torch.no_grad():
        new[9].weight[channels] *= k
    return new
