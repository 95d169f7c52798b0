"""The tail, summed."""

from math import comb

EXERCISE = "14.3"


def green_p(text, green, share):
    row = text.tolist()
    pairs = {(row[k], row[k + 1]) for k in range(len(row) - 1)}
    n, h = len(pairs), sum(int(green[before, word]) for before, word in pairs)
    return sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(h, n + 1))
