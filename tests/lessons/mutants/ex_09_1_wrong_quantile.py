"""What lies below a quantile goes."""

import numpy as np

EXERCISE = "09.1"
MISTAKE = "quantile"


def prune(weight, ratio):
    sizes = np.abs(weight.numpy())
    return np.where(sizes < np.quantile(sizes, ratio), 0, weight.numpy())
