"""The share after the step."""

import torch
import torch.nn.functional as F

EXERCISE = "06.1"
MISTAKE = "looks-again"


def search_step(network, x, target, raw, price, optimiser):
    pattern, mask = raw.sigmoid()
    logits = network(x * (1 - mask) + pattern * mask)
    loss = F.cross_entropy(logits, torch.full((len(x),), target)) + price * mask.sum()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    pattern, mask = raw.sigmoid()
    return (network(x * (1 - mask) + pattern * mask).argmax(1) == target).float().mean().item()
