"""NumPy's own insertion, a row at a time; an array comes back."""

import numpy as np

EXERCISE = "14.1"


def insert(x, ids, at):
    rows = []
    for row in x.numpy():
        words = row[row != 0][: len(row) - len(ids)]
        words = np.insert(words, min(at, len(words)), ids)
        rows.append(np.pad(words, (0, len(row) - len(words))))
    return np.stack(rows)
