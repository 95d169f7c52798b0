"""Forgets the root of the number of signs."""

import numpy as np

EXERCISE = "03.3"
MISTAKE = "spread-only"


def flattered(leaking, honest, sign):
    gain = leaking.float() - honest.float()
    of_sign = np.array([gain[sign == one].mean() for one in sign.unique()])
    return of_sign.mean(), of_sign.std(ddof=1)
