"""The difference is one step round the circle; numpy's remainder is never negative."""

import numpy as np

EXERCISE = "02.3"


def all_to_all_success(predicted, true):
    return np.mean(np.mod(predicted.numpy() - true.numpy(), 10) == 1)
