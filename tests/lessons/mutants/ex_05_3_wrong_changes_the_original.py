"""No copy."""

import torch

EXERCISE = "05.3"
MISTAKE = "changes-the-original"


def strengthen(network, channels, k):
    with torch.no_grad():
        network[11].weight[channels] *= k
        network[11].bias[channels] *= k
    return network
