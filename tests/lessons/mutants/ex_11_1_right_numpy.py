"""NumPy, and a loop that counts failures in a row."""

import numpy as np

EXERCISE = "11.1"


def gather(ask, x, batch, tries):
    labels = np.full(len(x), -1)
    first = failures = 0
    while first < len(x) and failures < tries:
        try:
            labels[first : first + batch] = ask(x[first : first + batch]).numpy()
        except ConnectionError:
            failures += 1
        else:
            first, failures = first + batch, 0
    return labels
