"""Light upon light."""

EXERCISE = "03.1"
MISTAKE = "adds"


def stick(picture, sticker, alpha):
    out = picture.clone()
    out += sticker * alpha
    return out
