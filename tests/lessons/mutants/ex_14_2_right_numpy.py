"""NumPy; an array comes back."""

import numpy as np

EXERCISE = "14.2"


def suspicions(text, surprise, alone):
    row = np.concatenate([[0], np.asarray(text), [0]])
    table, single = surprise.numpy(), alone.numpy()
    pairs = table[row[:-1], row[1:]]
    return pairs[:-1] + pairs[1:] - single[row[2:]]
