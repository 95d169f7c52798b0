"""Pattern and mask are charged for."""

import torch
import torch.nn.functional as F

EXERCISE = "06.1"
MISTAKE = "pays-for-the-pattern"


def search_step(network, x, target, raw, price, optimiser):
    paint = raw.sigmoid()
    logits = network(x * (1 - paint[1]) + paint[0] * paint[1])
    loss = F.cross_entropy(logits, torch.full((len(x),), target)) + price * paint.sum()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return (logits.argmax(1) == target).float().mean().item()
