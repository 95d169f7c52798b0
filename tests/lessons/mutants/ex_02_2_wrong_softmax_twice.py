"""Probabilities instead of logits."""

import torch.nn.functional as F

EXERCISE = "02.2"
MISTAKE = "softmax-twice"


def training_step(model, optimiser, x, y):
    losses = F.cross_entropy(F.softmax(model(x), dim=1), y, reduction="none")
    optimiser.zero_grad()
    losses.mean().backward()
    optimiser.step()
    return losses.detach()
