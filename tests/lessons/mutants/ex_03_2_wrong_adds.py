"""Adds the sticker's light to the picture's."""

import torch

EXERCISE = "03.2"
MISTAKE = "adds"


def stick(picture, sticker, alpha, matrix):
    y, x = ((torch.arange(n) + 0.5) / n * 2 - 1 for n in picture.shape[1:])
    y, x = torch.meshgrid(y, x, indexing="ij")
    moved = torch.stack([x, y, torch.ones_like(x)], 2) @ matrix.T
    at = (moved[..., :2] / moved[..., 2:])[None]
    return picture + torch.nn.functional.grid_sample((alpha * sticker)[None], at, align_corners=False)[0]
