"""A second forward pass after the step."""

import torch.nn.functional as F

EXERCISE = "02.2"
MISTAKE = "looks-again"


def training_step(model, optimiser, x, y):
    optimiser.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimiser.step()
    return F.cross_entropy(model(x), y, reduction="none").detach()
