"""Where the surest stands, not what it says."""

EXERCISE = "04.2"
MISTAKE = "place-for-label"


def read_sign(overlaps, scores, labels):
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    if not fits.any():
        return -1
    return scores.masked_fill(~fits, 0).argmax()
