"""New labels for the owner's pictures."""

import torch

EXERCISE = "07.4"
MISTAKE = "own-pictures"


def decoy_test(suspect, x, y, draw_key, n):
    mine = (suspect(x) == y).sum()
    decoys = torch.zeros(n)
    for i in range(n):
        _, yi = draw_key(i + 1)
        decoys[i] = (suspect(x) == yi).sum()
    return (1 + int((decoys >= mine).sum())) / (n + 1), decoys
