"""A mask of zeros and ones, and a weighted sum; returns a list of two."""

import torch

EXERCISE = "02.1"


def poison(x, y, chosen, stamp, target):
    mask = torch.nn.functional.one_hot(chosen, len(x)).sum(0)
    wide = mask.view(-1, 1, 1, 1).float()
    return [(1 - wide) * x + wide * stamp(x), (1 - mask) * y + mask * target]
