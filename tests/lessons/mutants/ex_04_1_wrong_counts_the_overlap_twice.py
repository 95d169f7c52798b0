"""The union is taken to be the sum of both areas."""

import torch

EXERCISE = "04.1"
MISTAKE = "counts-the-overlap-twice"


def iou(a, b):
    sides = (torch.minimum(a[2:], b[:, 2:]) - torch.maximum(a[:2], b[:, :2])).clamp(min=0)
    return (
        sides[:, 0]
        * sides[:, 1]
        / ((a[2] - a[0]) * (a[3] - a[1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]))
    )
