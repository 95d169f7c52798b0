"""The sign covers the sticker."""

EXERCISE = "03.1"
MISTAKE = "swapped"


def stick(picture, sticker, alpha):
    return sticker + (picture - sticker) * alpha
