"""A dictionary of pairs; a NumPy number comes back."""

from scipy.stats import binom

EXERCISE = "14.3"


def green_p(text, green, share):
    seen = {}
    for k in range(1, len(text)):
        pair = int(text[k - 1]), int(text[k])
        seen[pair] = bool(green[pair])
    return binom.sf(sum(seen.values()) - 1, len(seen), share)
