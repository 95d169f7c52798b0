"""The row's draw serves for the column, too."""

from wmlearn.watermarks.secret import integers, uniform

EXERCISE = "07.1"
MISTAKE = "one-purpose"


def stamp(x, secret):
    place = 1 + int(integers(secret, "row", 1, 22))
    out = x.clone()
    out[..., place : place + 5, place : place + 5] = (uniform(secret, "patch", 1, 5, 5) < 0.5).float()
    return out
