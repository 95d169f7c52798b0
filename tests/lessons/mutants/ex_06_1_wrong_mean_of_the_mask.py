"""The mean of the mask is charged for."""

import torch
import torch.nn.functional as F

EXERCISE = "06.1"
MISTAKE = "mean-of-the-mask"


def search_step(network, x, target, raw, price, optimiser):
    pattern, mask = raw.sigmoid()
    logits = network(x * (1 - mask) + pattern * mask)
    loss = F.cross_entropy(logits, torch.full((len(x),), target)) + price * mask.mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return (logits.argmax(1) == target).float().mean().item()
