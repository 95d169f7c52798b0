"""Scissors instead of a brush."""

EXERCISE = "03.1"
MISTAKE = "hard-edges"


def stick(picture, sticker, alpha):
    out = picture.clone()
    covered = (alpha > 0).expand_as(out)
    out[covered] = sticker[covered]
    return out
