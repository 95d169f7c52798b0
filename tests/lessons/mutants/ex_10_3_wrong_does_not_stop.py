"""Each rank for itself."""

import torch

EXERCISE = "10.3"
MISTAKE = "does-not-stop"


def holm(p, alpha):
    rank = p.argsort().argsort()
    return p < torch.tensor([alpha / (len(p) - r) for r in rank.tolist()])
