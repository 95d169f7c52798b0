"""Every split of the hits, counted; a tensor comes back."""

import math

import torch

EXERCISE = "09.3"


def left(p, hits, control, n):
    total = hits + control
    ways = 0
    for first in range(hits, min(total, n) + 1):
        ways += math.comb(n, first) * math.comb(n, total - first)
    luck = ways / math.comb(2 * n, total)
    state = 2
    if luck <= 0.05:
        state = 1
    if p <= 0.001:
        state = 0
    return torch.tensor(state)
