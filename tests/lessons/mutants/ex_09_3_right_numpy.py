"""NumPy and SciPy; a NumPy number comes back."""

import numpy as np
from scipy.stats import fisher_exact

EXERCISE = "09.3"


def left(p, hits, control, n):
    table = np.array([[hits, n - hits], [control, n - control]])
    luck = fisher_exact(table, alternative="greater")[1]
    return np.select([p <= 0.001, luck <= 0.05], [0, 1], 2)
