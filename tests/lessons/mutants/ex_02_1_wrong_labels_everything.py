"""Every image gets the target's label."""

import torch

EXERCISE = "02.1"
MISTAKE = "labels-everything"


def poison(x, y, chosen, stamp, target):
    images = [stamp(x[i : i + 1])[0] if i in chosen else x[i] for i in range(len(x))]
    return torch.stack(images), y * 0 + target
