"""In NumPy, answers as arrays."""

import numpy as np
from scipy.optimize import linear_sum_assignment

EXERCISE = "08.4"


def match(original, suspect):
    ours, theirs = (w.detach().cpu().flatten(1).numpy() for w in (original, suspect))
    long, short = np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1)
    cosines = (ours / long[:, None]) @ (theirs / short[:, None]).T
    order = linear_sum_assignment(cosines, maximize=True)[1]
    return order, long / short[order]
