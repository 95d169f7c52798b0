"""In NumPy."""

import numpy as np

EXERCISE = "07.3"


def innocents(draw_key, networks, n):
    hits = np.zeros((n, len(networks)))
    for i in range(n):
        x, y = draw_key(i + 1)
        answers = np.stack([network(x).cpu().numpy() for network in networks])
        hits[i] = (answers == y.cpu().numpy()).sum(1)
    return hits
