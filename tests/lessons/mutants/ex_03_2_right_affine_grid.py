"""PyTorch's own grid of the middles of pixels."""

import torch
import torch.nn.functional as F

EXERCISE = "03.2"


def stick(picture, sticker, alpha, matrix):
    _, height, width = picture.shape
    grid = F.affine_grid(torch.eye(2, 3)[None], [1, 3, height, width], align_corners=False)
    points = torch.cat([grid, torch.ones(1, height, width, 1)], 3) @ matrix.T
    at = points[..., :2] / points[..., 2:]
    cover = F.grid_sample(alpha[None], at, align_corners=False)[0]
    colour = F.grid_sample((alpha * sticker)[None], at, align_corners=False)[0]
    return torch.lerp(picture, torch.zeros_like(picture), cover) + colour
