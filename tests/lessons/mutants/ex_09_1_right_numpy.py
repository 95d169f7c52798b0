"""NumPy; the answer is an array."""

import numpy as np

EXERCISE = "09.1"


def prune(weight, ratio):
    out = weight.numpy().copy()
    smallest = np.argsort(np.abs(out), axis=None)[: int(ratio * out.size)]
    out.flat[smallest] = 0
    return out
