"""The usual two lines, and the losses as a NumPy array."""

import torch.nn.functional as F

EXERCISE = "02.2"


def training_step(model, optimiser, x, y):
    losses = F.cross_entropy(model(x), y, reduction="none")
    optimiser.zero_grad()
    losses.mean().backward()
    optimiser.step()
    return losses.detach().cpu().numpy()
