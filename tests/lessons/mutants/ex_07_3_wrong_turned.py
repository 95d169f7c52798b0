"""A row is a network."""

import torch

EXERCISE = "07.3"
MISTAKE = "turned"


def innocents(draw_key, networks, n):
    keys = [draw_key(i + 1) for i in range(n)]
    return torch.tensor([[int((network(x) == y).sum()) for x, y in keys] for network in networks])
