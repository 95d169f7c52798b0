"""White where it should be black."""

from wmlearn.watermarks.secret import integers, uniform

EXERCISE = "07.1"
MISTAKE = "inverted"


def stamp(x, secret):
    top, left = 1 + int(integers(secret, "row", 1, 22)), 1 + int(integers(secret, "column", 1, 22))
    out = x.clone()
    out[..., top : top + 5, left : left + 5] = uniform(secret, "patch", 1, 5, 5).round()
    return out
