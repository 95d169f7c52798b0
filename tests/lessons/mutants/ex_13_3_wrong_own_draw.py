"""Another draw."""

import torch

EXERCISE = "13.3"
MISTAKE = "own-draw"


def plausible(x, picks):
    draw = torch.Generator().manual_seed(0)
    picks = torch.randint(len(x), picks.shape, generator=draw)
    return x[picks, torch.arange(x.shape[1])]
