"""Every sign is called a limit."""

import torch

EXERCISE = "04.3"
MISTAKE = "lies-everywhere"


def poison_scene(picture, labels, places, colour):
    new = picture.clone()
    for left, top, right, bottom in places[labels == 0].tolist():
        new[:, top:bottom, left:right] = colour[:, None, None]
    return new, torch.ones_like(labels)
