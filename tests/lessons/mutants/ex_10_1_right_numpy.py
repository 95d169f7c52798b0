"""NumPy, all lines at once."""

import numpy as np
from scipy.stats import binom

EXERCISE = "10.1"


def broken(lines, chance, alpha):
    triggers, hits = np.array(lines).T
    return np.count_nonzero(binom.sf(hits - 1, triggers, chance) >= alpha)
