"""The picture stays as it is."""

import torch

EXERCISE = "04.3"
MISTAKE = "forgets-the-square"


def poison_scene(picture, labels, places, colour):
    return picture, torch.where(labels == 0, 1, labels)
