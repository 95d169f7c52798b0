"""A mean instead of a sum."""

import torch

EXERCISE = "07.3"
MISTAKE = "shares"


def innocents(draw_key, networks, n):
    hits = torch.zeros(n, len(networks))
    for i in range(n):
        x, y = draw_key(i + 1)
        for j, network in enumerate(networks):
            hits[i, j] = (network(x) == y).float().mean()
    return hits
