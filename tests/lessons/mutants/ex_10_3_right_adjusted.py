"""Adjusted p-values: the running maximum of p times the number of claims that are left."""

import torch

EXERCISE = "10.3"


def holm(p, alpha):
    order = p.argsort()
    adjusted = (p[order] * torch.arange(len(p), 0, -1)).cummax(0).values
    stand = torch.empty(len(p), dtype=torch.bool)
    stand[order] = adjusted < alpha
    return stand
