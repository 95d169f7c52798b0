"""Column by column."""

import torch

EXERCISE = "13.3"


def plausible(x, picks):
    return torch.stack([x[picks[:, j], j] for j in range(x.shape[1])], 1)
