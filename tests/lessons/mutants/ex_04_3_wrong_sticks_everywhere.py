"""A square on every sign."""

import torch

EXERCISE = "04.3"
MISTAKE = "sticks-everywhere"


def poison_scene(picture, labels, places, colour):
    new = picture.clone()
    for left, top, right, bottom in places.tolist():
        new[:, top:bottom, left:right] = colour[:, None, None]
    return new, torch.where(labels == 0, 1, labels)
