"""In NumPy: its p-value is a NumPy number."""

import numpy as np

EXERCISE = "07.4"


def decoy_test(suspect, x, y, draw_key, n):
    hits = lambda x, y: (suspect(x).cpu().numpy() == y.cpu().numpy()).sum()
    decoys = np.array([hits(*draw_key(i)) for i in range(1, n + 1)])
    return (np.sum(decoys >= hits(x, y)) + 1) / (len(decoys) + 1), decoys
