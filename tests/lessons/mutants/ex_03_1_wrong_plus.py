"""Brings x times u to the left without a minus."""

import torch

EXERCISE = "03.1"
MISTAKE = "plus"


def homography(here, there):
    rows, right = [], []
    for (x, y), (u, v) in zip(here.tolist(), there.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, x * u, y * u], [0, 0, 0, x, y, 1, x * v, y * v]]
        right += [u, v]
    h = torch.linalg.solve(torch.tensor(rows).double(), torch.tensor(right).double())
    return torch.cat([h, h.new_ones(1)]).view(3, 3)
