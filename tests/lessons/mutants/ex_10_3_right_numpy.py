"""NumPy: sorted, compared, and cut at the first failure; an array comes back."""

import numpy as np

EXERCISE = "10.3"


def holm(p, alpha):
    values = p.numpy()
    order = np.argsort(values)
    passes = values[order] < alpha / np.arange(len(values), 0, -1)
    stand = np.zeros(len(values), dtype=bool)
    stand[order] = np.logical_and.accumulate(passes)
    return stand
