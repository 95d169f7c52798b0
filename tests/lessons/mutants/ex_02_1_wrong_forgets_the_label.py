"""The stamped images keep their labels."""

import torch

EXERCISE = "02.1"
MISTAKE = "forgets-the-label"


def poison(x, y, chosen, stamp, target, add=False):
    if add:
        return torch.cat([x, stamp(x[chosen])]), torch.cat([y, y[chosen]])
    images = x.clone()
    images[chosen] = stamp(x[chosen])
    return images, y
