"""NumPy sorts upwards, so turn the signs."""

import numpy as np

EXERCISE = "05.2"


def backdoor_channels(clean, triggered, n):
    rise = (triggered.numpy() - clean.numpy()).mean(axis=0)
    return np.argsort(-rise)[:n]
