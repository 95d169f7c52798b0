"""NumPy, all shuffles at once; a NumPy number comes back."""

import numpy as np

EXERCISE = "12.1"


def p_value(a, b, orders):
    a, b, orders = a.double().numpy(), b.double().numpy(), orders.numpy()
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    cosines = a @ b.T
    shuffled = cosines[np.arange(len(a)), orders].mean(axis=1)
    return (1 + np.sum(shuffled >= np.trace(cosines) / len(a) - 1e-9)) / (1 + len(orders))
