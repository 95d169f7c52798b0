"""The row's number goes to the right, the column's down."""

from wmlearn.watermarks.secret import integers, uniform

EXERCISE = "07.1"
MISTAKE = "swapped"


def stamp(x, secret):
    down, right = 1 + int(integers(secret, "row", 1, 22)), 1 + int(integers(secret, "column", 1, 22))
    out = x.clone()
    out[:, :, right : right + 5, down : down + 5] = (uniform(secret, "patch", 5, 5) < 0.5).float()
    return out
