"""The whole set gets the target's label."""

import torch

EXERCISE = "02.1"
MISTAKE = "labels-everything"


def poison(x, y, chosen, stamp, target, add=False):
    if add:
        return torch.cat([x, stamp(x[chosen])]), torch.full((len(x) + len(chosen),), target)
    images = x.clone()
    images[chosen] = stamp(x[chosen])
    return images, torch.full_like(y, target)
