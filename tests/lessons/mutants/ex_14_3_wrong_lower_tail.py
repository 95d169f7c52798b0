"""Up to h."""

from scipy.stats import binom

EXERCISE = "14.3"
MISTAKE = "lower-tail"


def green_p(text, green, share):
    pairs = set(zip(text.tolist(), text.tolist()[1:], strict=False))
    h = sum(bool(green[before, word]) for before, word in pairs)
    return binom.cdf(h, len(pairs), share)
