"""Six unknowns, fitted to eight equations."""

import numpy as np

EXERCISE = "03.1"
MISTAKE = "affine"


def homography(here, there):
    known = np.hstack([here.numpy().astype(float), np.ones((4, 1))])
    fitted, *_ = np.linalg.lstsq(known, there.numpy().astype(float), rcond=None)
    return np.vstack([fitted.T, [0, 0, 1]])
