"""Gradients pile up."""

import torch.nn.functional as F

EXERCISE = "02.2"
MISTAKE = "forgets-zero-grad"


def training_step(model, optimiser, x, y):
    losses = F.cross_entropy(model(x), y, reduction="none")
    losses.mean().backward()
    optimiser.step()
    return losses.detach()
