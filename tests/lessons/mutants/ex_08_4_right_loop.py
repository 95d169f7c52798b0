"""Cosine by cosine, as a cost."""

import torch
from scipy.optimize import linear_sum_assignment

EXERCISE = "08.4"


def match(original, suspect):
    n = len(original)
    ours, theirs = original.detach().flatten(1).cpu(), suspect.detach().flatten(1).cpu()
    cost = torch.zeros(n, n)
    for i in range(n):
        for j in range(n):
            cost[i, j] = -torch.cosine_similarity(ours[i], theirs[j], dim=0)
    _, order = linear_sum_assignment(cost)
    return torch.tensor(order), torch.stack([ours[i].norm() / theirs[order[i]].norm() for i in range(n)])
