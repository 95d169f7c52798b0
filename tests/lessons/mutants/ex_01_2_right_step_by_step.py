"""Without a formula: follow the distribution of the hits from trial to trial."""

import numpy as np

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    share = np.array([1.0])  # after no trial there is no hit
    for _ in range(trials):
        share = np.convolve(share, [1 - chance, chance])
    return share[hits:].sum()
