"""Takes the boxes as they come."""

import torch

EXERCISE = "04.4"
MISTAKE = "unsorted"


def average_precision(scores, right, n):
    found = right.cumsum(0)
    precision, recall = found / torch.arange(1, len(found) + 1), found / n
    reached = recall >= torch.linspace(0, 1, 101)[:, None]
    return torch.where(reached, precision, 0.0).max(1).values.mean().item()
