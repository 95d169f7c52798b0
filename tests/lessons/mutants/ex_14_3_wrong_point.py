"""Exactly h."""

from scipy.stats import binom

EXERCISE = "14.3"
MISTAKE = "point"


def green_p(text, green, share):
    pairs = set(zip(text.tolist(), text.tolist()[1:], strict=False))
    h = sum(bool(green[before, word]) for before, word in pairs)
    return binom.pmf(h, len(pairs), share)
