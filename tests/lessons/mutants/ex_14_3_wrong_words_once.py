"""Each word where it stands first."""

from itertools import pairwise

from scipy.stats import binom

EXERCISE = "14.3"
MISTAKE = "words-once"


def green_p(text, green, share):
    row, seen, h = text.tolist(), set(), 0
    for before, word in pairwise(row):
        if word not in seen:
            seen.add(word)
            h += int(green[before, word])
    return binom.sf(h - 1, len(seen), share)
