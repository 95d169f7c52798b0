"""NumPy's own counts, and the logarithm of the tail; a NumPy number comes back."""

import numpy as np
from scipy.stats import hypergeom

EXERCISE = "12.2"


def lot_p(wrong, lot):
    wrong, held = np.asarray(wrong), ~np.asarray(lot)
    return np.exp(hypergeom.logsf(np.sum(wrong & held) - 1, held.size, held.sum(), wrong.sum()))
