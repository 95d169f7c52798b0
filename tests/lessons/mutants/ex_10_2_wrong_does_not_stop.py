"""Each rank for itself."""

import torch

EXERCISE = "10.2"
MISTAKE = "does-not-stop"


def holm(p, alpha):
    rank = p.argsort().argsort()
    return p < torch.tensor([alpha / (len(p) - r) for r in rank.tolist()])
