"""The share of the decoys alone."""

import torch

EXERCISE = "07.4"
MISTAKE = "forgets-itself"


def decoy_test(suspect, x, y, draw_key, n):
    mine = (suspect(x) == y).sum()
    decoys = torch.zeros(n)
    for i in range(n):
        xi, yi = draw_key(i + 1)
        decoys[i] = (suspect(xi) == yi).sum()
    return int((decoys >= mine).sum()) / n, decoys
