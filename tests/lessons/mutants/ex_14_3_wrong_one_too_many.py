"""The first word is a trial, too."""

from scipy.stats import binom

EXERCISE = "14.3"
MISTAKE = "one-too-many"


def green_p(text, green, share):
    pairs = set(zip(text.tolist(), text.tolist()[1:], strict=False))
    h = sum(bool(green[before, word]) for before, word in pairs)
    return binom.sf(h - 1, len(pairs) + 1, share)
