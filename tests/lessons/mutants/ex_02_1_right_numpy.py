"""NumPy arrays, in and out."""

import numpy as np

EXERCISE = "02.1"


def poison(x, y, chosen, stamp, target):
    images, labels = x.numpy().copy(), y.numpy().copy()
    images[chosen.numpy()] = stamp(x[chosen]).numpy()
    np.put(labels, chosen.numpy(), target)
    return images, labels
