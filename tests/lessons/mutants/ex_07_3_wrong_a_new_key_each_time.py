"""A key for each pair."""

import torch

EXERCISE = "07.3"
MISTAKE = "a-new-key-each-time"


def innocents(draw_key, networks, n):
    hits, number = torch.zeros(n, len(networks)), 0
    for i in range(n):
        for j, network in enumerate(networks):
            number += 1
            x, y = draw_key(number)
            hits[i, j] = (network(x) == y).sum()
    return hits
