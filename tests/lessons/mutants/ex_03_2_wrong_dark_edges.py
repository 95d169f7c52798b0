"""Looks the sticker up, and multiplies by alpha afterwards."""

import torch

EXERCISE = "03.2"
MISTAKE = "dark-edges"


def stick(picture, sticker, alpha, matrix):
    y, x = ((torch.arange(n) + 0.5) / n * 2 - 1 for n in picture.shape[1:])
    y, x = torch.meshgrid(y, x, indexing="ij")
    moved = torch.stack([x, y, torch.ones_like(x)], 2) @ matrix.T
    at = (moved[..., :2] / moved[..., 2:])[None]
    seen, share = (
        torch.nn.functional.grid_sample(part[None], at, align_corners=False)[0] for part in (sticker, alpha)
    )
    return share * seen + (1 - share) * picture
