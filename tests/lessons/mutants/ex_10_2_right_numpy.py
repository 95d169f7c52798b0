"""In NumPy."""

import numpy as np

EXERCISE = "10.2"


def grind(labels, mine, judges, enough, n):
    labels, mine, judges = labels.cpu().numpy(), mine.cpu().numpy(), judges.cpu().numpy()
    good = ((mine == labels).sum(axis=0) >= enough) & ((judges == labels).sum(axis=0) == 0)
    kept = np.flatnonzero(good)[:n]
    return kept, kept[-1] + 1
