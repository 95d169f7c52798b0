"""Averages over boxes."""

import torch

EXERCISE = "04.4"
MISTAKE = "mean-precision"


def average_precision(scores, right, n):
    found = right[scores.argsort(descending=True)].cumsum(0)
    precision, recall = found / torch.arange(1, len(found) + 1), found / n
    return precision.mean().item()
