"""Leaves the levels out that no box reaches."""

import torch

EXERCISE = "04.4"
MISTAKE = "only-levels-reached"


def average_precision(scores, right, n):
    found = right[scores.argsort(descending=True)].cumsum(0)
    precision, recall = found / torch.arange(1, len(found) + 1), found / n
    reached = recall >= torch.linspace(0, 1, 101)[:, None]
    best = torch.where(reached, precision, 0.0).max(1).values
    return best[reached.any(1)].mean().item()
