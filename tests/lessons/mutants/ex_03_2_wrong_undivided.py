"""Forgets the third number."""

import torch

EXERCISE = "03.2"
MISTAKE = "undivided"


def stick(picture, sticker, alpha, matrix):
    y, x = ((torch.arange(n) + 0.5) / n * 2 - 1 for n in picture.shape[1:])
    y, x = torch.meshgrid(y, x, indexing="ij")
    at = (torch.stack([x, y, torch.ones_like(x)], 2) @ matrix.T)[None, ..., :2]
    layers = torch.cat([alpha * sticker, alpha])
    seen = torch.nn.functional.grid_sample(layers[None], at, align_corners=False)[0]
    return seen[:3] + (1 - seen[3:]) * picture
