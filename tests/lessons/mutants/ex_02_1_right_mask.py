"""A mask, and torch.where twice."""

import torch

EXERCISE = "02.1"


def poison(x, y, chosen, stamp, target):
    mask = torch.zeros(len(x), dtype=torch.bool)
    mask[chosen] = True
    return torch.where(mask[:, None, None, None], stamp(x), x), torch.where(mask, target, y)
