"""One loss for the batch."""

import torch.nn.functional as F

EXERCISE = "02.2"
MISTAKE = "returns-the-mean"


def training_step(model, optimiser, x, y):
    loss = F.cross_entropy(model(x), y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach()
