"""Overlays and classes have changed places."""

import torch

EXERCISE = "06.3"
MISTAKE = "wrong-axis"


def entropy(p):
    return torch.special.entr(p).sum(dim=1).mean(dim=-1) / 0.6931471805599453
