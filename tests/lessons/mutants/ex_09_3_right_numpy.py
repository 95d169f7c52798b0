"""NumPy chooses; a NumPy number comes back."""

import numpy as np

EXERCISE = "09.3"


def decide(before, after, p_before, p_after):
    return np.select([p_before >= 0.001, after < 0.9 * before, p_after < 0.001], [0, 1, 2], 3)
