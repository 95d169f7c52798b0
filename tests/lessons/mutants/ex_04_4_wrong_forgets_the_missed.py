"""Recall of those found."""

import torch

EXERCISE = "04.4"
MISTAKE = "forgets-the-missed"


def average_precision(scores, right, n):
    found = right[scores.argsort(descending=True)].cumsum(0)
    precision, recall = found / torch.arange(1, len(found) + 1), found / found[-1].clamp_min(1)
    reached = recall >= torch.linspace(0, 1, 101)[:, None]
    return torch.where(reached, precision, 0.0).max(1).values.mean().item()
