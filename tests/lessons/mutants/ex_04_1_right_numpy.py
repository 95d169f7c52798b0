"""NumPy, all boxes at once."""

import numpy as np

EXERCISE = "04.1"


def iou(a, b):
    a, b = a.numpy(), b.numpy()
    sides = np.minimum(a[2:], b[:, 2:]) - np.maximum(a[:2], b[:, :2])
    shared = np.prod(np.clip(sides, 0, None), axis=1)
    areas = np.prod(b[:, 2:] - b[:, :2], axis=1) + np.prod(a[2:] - a[:2])
    return shared / (areas - shared)
