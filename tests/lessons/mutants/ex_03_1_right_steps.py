"""Walk from the picture towards the sticker."""

EXERCISE = "03.1"


def stick(picture, sticker, alpha):
    return picture + (sticker - picture) * alpha
