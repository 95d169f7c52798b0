"""numpy throughout; the answer is a numpy scalar."""

import numpy as np

EXERCISE = "01.1"


def disagreement(a, b):
    return np.mean(np.argmax(a.numpy(), axis=-1) != np.argmax(b.numpy(), axis=-1))
