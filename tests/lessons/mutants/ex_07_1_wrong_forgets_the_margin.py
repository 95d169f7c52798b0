"""Counted from 0: the patch may touch the border."""

from wmlearn.watermarks.secret import integers, uniform

EXERCISE = "07.1"
MISTAKE = "forgets-the-margin"


def stamp(x, secret):
    top, left = int(integers(secret, "row", 1, 22)), int(integers(secret, "column", 1, 22))
    out = x.clone()
    out[..., top : top + 5, left : left + 5] = (uniform(secret, "patch", 1, 5, 5) < 0.5).float()
    return out
