"""Columns first."""

import torch

EXERCISE = "04.3"
MISTAKE = "rows-and-columns"


def poison_scene(picture, labels, places, colour):
    new = picture.clone()
    for left, top, right, bottom in places[labels == 0].tolist():
        new[:, left:right, top:bottom] = colour[:, None, None]
    return new, torch.where(labels == 0, 1, labels)
