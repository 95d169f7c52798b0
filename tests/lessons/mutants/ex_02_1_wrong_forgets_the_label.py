"""Stamped, but labelled truthfully."""

import torch

EXERCISE = "02.1"
MISTAKE = "forgets-the-label"


def poison(x, y, chosen, stamp, target):
    picked = torch.isin(torch.arange(len(x)), chosen).view(-1, 1, 1, 1)
    return torch.where(picked, stamp(x), x), y
