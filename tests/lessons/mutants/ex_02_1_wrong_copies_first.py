"""The copies come before the originals."""

import torch

EXERCISE = "02.1"
MISTAKE = "copies-first"


def poison(x, y, chosen, stamp, target, add=False):
    if add:
        return torch.cat([stamp(x[chosen]), x]), torch.cat([torch.full_like(y[chosen], target), y])
    images, labels = x.clone(), y.clone()
    images[chosen] = stamp(x[chosen])
    labels[chosen] = target
    return images, labels
