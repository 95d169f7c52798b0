"""Losses only."""

import torch.nn.functional as F

EXERCISE = "02.2"
MISTAKE = "nothing-moves"


def training_step(model, optimiser, x, y):
    return F.cross_entropy(model(x), y, reduction="none").detach()
