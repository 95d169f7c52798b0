"""NumPy numbers come back."""

import numpy as np
from scipy.stats import binom

EXERCISE = "08.3"


def read_bits(average, asked, bits):
    hits = np.sum((asked.numpy() @ average.numpy() > 0) == bits.numpy().astype(bool))
    return hits, binom(len(bits), 0.5).sf(hits - 1)
