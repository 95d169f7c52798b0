"""NumPy arrays, in and out."""

import numpy as np

EXERCISE = "04.3"


def poison_scene(picture, labels, places, colour):
    new = picture.numpy().copy()
    for left, top, right, bottom in places.numpy()[labels.numpy() == 0]:
        new[:, top:bottom, left:right] = colour.numpy()[:, None, None]
    return new, np.where(labels.numpy() == 0, 1, labels.numpy())
