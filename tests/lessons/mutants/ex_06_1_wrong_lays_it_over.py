"""The paint is added to the picture."""

import torch
import torch.nn.functional as F

EXERCISE = "06.1"
MISTAKE = "lays-it-over"


def search_step(network, x, target, raw, price, optimiser):
    pattern, mask = raw.sigmoid()
    logits = network(x + pattern * mask)
    loss = F.cross_entropy(logits, torch.full((len(x),), target)) + price * mask.sum()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return (logits.argmax(1) == target).float().mean().item()
