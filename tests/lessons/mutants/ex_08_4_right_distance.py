"""The nearest directions, by distance."""

import torch
from scipy.optimize import linear_sum_assignment

EXERCISE = "08.4"


def match(original, suspect):
    long, short = (w.detach().cpu().flatten(1).norm(dim=1, keepdim=True) for w in (original, suspect))
    ours, theirs = original.detach().cpu().flatten(1) / long, suspect.detach().cpu().flatten(1) / short
    order = torch.from_numpy(linear_sum_assignment(torch.cdist(ours, theirs) ** 2)[1])
    return order, (long / short[order]).flatten()
