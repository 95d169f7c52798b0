"""The first network's answers in place of the labels."""

import torch

EXERCISE = "07.3"
MISTAKE = "agreement"


def innocents(draw_key, networks, n):
    hits = torch.zeros(n, len(networks))
    for i in range(n):
        x, _ = draw_key(i + 1)
        for j, network in enumerate(networks):
            hits[i, j] = (network(x) == networks[0](x)).sum()
    return hits
