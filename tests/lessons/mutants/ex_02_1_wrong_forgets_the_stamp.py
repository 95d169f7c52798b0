"""False labels, and no trigger."""

import torch

EXERCISE = "02.1"
MISTAKE = "forgets-the-stamp"


def poison(x, y, chosen, stamp, target, add=False):
    if add:
        return torch.cat([x, x[chosen]]), torch.cat([y, torch.full_like(y[chosen], target)])
    labels = y.clone()
    labels[chosen] = target
    return x, labels
