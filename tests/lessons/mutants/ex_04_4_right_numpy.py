"""NumPy throughout."""

import numpy as np

EXERCISE = "04.4"


def average_precision(scores, right, n):
    hits = right.numpy()[np.argsort(-scores.numpy())].astype(float)
    found = np.cumsum(hits)
    precision, recall = found / np.arange(1, len(hits) + 1), found / n
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101))
    return np.append(best, 0)[places].mean()
