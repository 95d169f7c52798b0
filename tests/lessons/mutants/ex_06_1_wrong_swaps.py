"""The mask is taken for the pattern."""

import torch
import torch.nn.functional as F

EXERCISE = "06.1"
MISTAKE = "swaps"


def search_step(network, x, target, raw, price, optimiser):
    mask, pattern = raw.sigmoid()
    logits = network(x * (1 - mask) + pattern * mask)
    loss = F.cross_entropy(logits, torch.full((len(x),), target)) + price * mask.sum()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return (logits.argmax(1) == target).float().mean().item()
