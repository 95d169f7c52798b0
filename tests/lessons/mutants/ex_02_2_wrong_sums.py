"""The sum of the losses goes downhill."""

import torch.nn.functional as F

EXERCISE = "02.2"
MISTAKE = "sums"


def training_step(model, optimiser, x, y):
    losses = F.cross_entropy(model(x), y, reduction="none")
    optimiser.zero_grad()
    losses.sum().backward()
    optimiser.step()
    return losses.detach()
