"""The library knows it."""

from torchvision.ops import box_iou

EXERCISE = "04.1"


def iou(a, b):
    return box_iou(a[None], b)[0]
