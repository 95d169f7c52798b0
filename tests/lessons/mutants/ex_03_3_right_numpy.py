"""NumPy; SciPy knows the standard error of a mean."""

import numpy as np
from scipy.stats import sem

EXERCISE = "03.3"


def flattered(leaking, honest, sign):
    a, b, s = leaking.numpy(), honest.numpy(), sign.numpy()
    of_sign = np.array([a[s == one].mean() - b[s == one].mean() for one in np.unique(s)])
    return of_sign.mean(), sem(of_sign)
