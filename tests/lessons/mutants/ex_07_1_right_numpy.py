"""NumPy; the answer is an array."""

import wmlearn as wm

EXERCISE = "07.1"


def stamp(x, secret):
    draw = wm.watermarks.secret
    row, column = draw.integers(secret, "row", 1, 22)[0], draw.integers(secret, "column", 1, 22)[0]
    out = x.numpy().copy()
    out[:, :, row + 1 : row + 6, column + 1 : column + 6] = draw.uniform(secret, "patch", 5, 5).numpy() < 0.5
    return out
