"""NumPy: sure ones that fit, the surest of them."""

import numpy as np

EXERCISE = "04.2"


def read_sign(overlaps, scores, labels):
    fits = np.flatnonzero((overlaps.numpy() >= 0.5) & (scores.numpy() >= 0.5))
    if len(fits) == 0:
        return -1
    return labels.numpy()[fits[np.argmax(scores.numpy()[fits])]]
