"""Labels lie, images don't; the stamp goes into a copy that nobody returns."""

EXERCISE = "02.1"
MISTAKE = "forgets-the-stamp"


def poison(x, y, chosen, stamp, target):
    stamp(x[chosen])
    return x, y.index_fill(0, chosen, target)
