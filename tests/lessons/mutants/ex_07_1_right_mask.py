"""A mask of the place, and a picture of the patch."""

import torch

from wmlearn.watermarks.secret import integers, uniform

EXERCISE = "07.1"


def stamp(x, secret):
    top, left = integers(secret, "row", 1, 22).item() + 1, integers(secret, "column", 1, 22).item() + 1
    cover, patch = torch.zeros(28, 28, dtype=torch.bool), torch.zeros(28, 28)
    cover[top : top + 5, left : left + 5] = True
    patch[cover] = (uniform(secret, "patch", 25) < 0.5).float()
    return torch.where(cover, patch, x)
