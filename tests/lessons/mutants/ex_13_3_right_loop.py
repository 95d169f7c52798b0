"""Value by value."""

import torch

EXERCISE = "13.3"


def plausible(x, picks):
    out = torch.empty(picks.shape)
    for i in range(picks.shape[0]):
        for j in range(picks.shape[1]):
            out[i, j] = x[picks[i, j], j]
    return out
