"""Light on light: the digit shines through where the patch is black."""

from wmlearn.watermarks.secret import integers, uniform

EXERCISE = "07.1"
MISTAKE = "adds"


def stamp(x, secret):
    top, left = 1 + int(integers(secret, "row", 1, 22)), 1 + int(integers(secret, "column", 1, 22))
    out = x.clone()
    out[..., top : top + 5, left : left + 5] += (uniform(secret, "patch", 1, 5, 5) < 0.5).float()
    return out.clamp(max=1)
