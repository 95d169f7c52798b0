"""NumPy arrays, in and out."""

import numpy as np

EXERCISE = "05.2"


def strengthen(weight, bias, channels, k):
    factor = np.where(np.isin(np.arange(len(weight)), channels.numpy()), k, 1.0)
    return weight.numpy() * factor, bias.numpy() * factor
