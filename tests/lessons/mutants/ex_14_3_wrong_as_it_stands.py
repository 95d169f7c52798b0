"""A list, not a set."""

from scipy.stats import binom

EXERCISE = "14.3"
MISTAKE = "as-it-stands"


def green_p(text, green, share):
    pairs = list(zip(text.tolist(), text.tolist()[1:], strict=False))
    h = sum(bool(green[before, word]) for before, word in pairs)
    return binom.sf(h - 1, len(pairs), share)
