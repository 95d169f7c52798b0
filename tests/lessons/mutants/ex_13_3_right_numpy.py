"""take_along_axis."""

import numpy as np

EXERCISE = "13.3"


def plausible(x, picks):
    return np.take_along_axis(x.numpy(), picks.numpy(), axis=0)
