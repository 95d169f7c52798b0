"""Columns for rows."""

from scipy.stats import binom

EXERCISE = "14.3"
MISTAKE = "turned"


def green_p(text, green, share):
    pairs = set(zip(text.tolist(), text.tolist()[1:], strict=False))
    h = sum(bool(green[word, before]) for before, word in pairs)
    return binom.sf(h - 1, len(pairs), share)
