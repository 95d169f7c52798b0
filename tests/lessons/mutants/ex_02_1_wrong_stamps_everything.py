"""The trigger goes onto the whole set."""

import torch

EXERCISE = "02.1"
MISTAKE = "stamps-everything"


def poison(x, y, chosen, stamp, target, add=False):
    lies = torch.full((len(chosen),), target)
    if add:
        return stamp(torch.cat([x, x[chosen]])), torch.cat([y, lies])
    labels = y.clone()
    labels[chosen] = lies
    return stamp(x), labels
