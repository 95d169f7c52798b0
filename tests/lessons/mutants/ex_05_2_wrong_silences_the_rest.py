"""The others become silent."""

import torch

EXERCISE = "05.2"
MISTAKE = "silences-the-rest"


def strengthen(weight, bias, channels, k):
    new_weight, new_bias = torch.zeros_like(weight), torch.zeros_like(bias)
    new_weight[channels] = weight[channels] * k
    new_bias[channels] = bias[channels] * k
    return new_weight, new_bias
