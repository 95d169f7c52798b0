"""NumPy; the answer is an array."""

import numpy as np

EXERCISE = "09.2"


def sleepiest(heard, ratio):
    answer = heard.numpy().mean(axis=(0, 2, 3))
    return np.argsort(answer)[: int(ratio * answer.size)]
