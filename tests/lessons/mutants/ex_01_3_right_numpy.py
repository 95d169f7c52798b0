"""Many keys at once, and numpy's first True; the answer is a numpy integer."""

import numpy as np

EXERCISE = "01.3"


def forge(hits_of, wanted):
    start = 1
    while True:
        enough = np.array([hits_of(secret) for secret in range(start, start + 50)]) >= wanted
        if enough.any():
            return start + np.argmax(enough)
        start += 50
