"""Reads the last two numbers as a size."""

import torch

EXERCISE = "04.3"
MISTAKE = "width-and-height"


def poison_scene(picture, labels, places, colour):
    new = picture.clone()
    for left, top, right, bottom in places[labels == 0].tolist():
        new[:, top : top + bottom, left : left + right] = colour[:, None, None]
    return new, torch.where(labels == 0, 1, labels)
