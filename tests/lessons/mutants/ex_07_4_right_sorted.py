"""The owner's place among all, from a sorted list."""

import torch

EXERCISE = "07.4"


def decoy_test(suspect, x, y, draw_key, n):
    mine = int((suspect(x) == y).sum())
    decoys = [int((suspect(a) == b).sum()) for a, b in map(draw_key, range(1, n + 1))]
    ranked = sorted([*decoys, mine])
    return (n + 1 - ranked.index(mine)) / (n + 1), torch.tensor(decoys, dtype=torch.float)
