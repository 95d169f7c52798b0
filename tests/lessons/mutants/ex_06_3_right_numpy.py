"""NumPy, with 1 in the place of 0 under the logarithm."""

import numpy as np

EXERCISE = "06.3"


def entropy(p):
    p = p.numpy()
    return -(p * np.log2(np.where(p > 0, p, 1))).sum(axis=2).mean(axis=1)
