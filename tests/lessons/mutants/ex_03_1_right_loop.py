"""Colour by colour."""

import torch

EXERCISE = "03.1"


def stick(picture, sticker, alpha):
    colours = []
    for under, over in zip(picture, sticker):
        colours.append(over * alpha[0] + under * (1 - alpha[0]))
    return torch.stack(colours)
