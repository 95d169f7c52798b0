"""NumPy's sorted search; a NumPy number comes back."""

import numpy as np

EXERCISE = "11.3"


def caught(members, strangers, alarms):
    order = np.sort(strangers.numpy())
    as_small = np.searchsorted(order, members.numpy(), side="right")
    return np.mean((1 + as_small) / (1 + len(order)) <= alarms)
