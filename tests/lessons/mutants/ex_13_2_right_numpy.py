"""NumPy's truth values."""

import numpy as np

EXERCISE = "13.2"


def owned(network, x, y, trigger, room, target):
    with_both = np.asarray(network(room(trigger(x)))) == target
    alone = np.asarray(network(room(x))) == target
    return np.mean((with_both & ~alone)[np.asarray(y) != target])
