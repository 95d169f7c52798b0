"""Stacked tensors, of integers."""

import torch

EXERCISE = "07.3"


def innocents(draw_key, networks, n):
    keys = [draw_key(i) for i in range(1, n + 1)]
    return torch.stack([torch.stack([(network(x) == y).sum() for network in networks]) for x, y in keys])
