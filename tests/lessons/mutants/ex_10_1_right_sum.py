"""The tail summed term by term."""

from math import comb

EXERCISE = "10.1"


def broken(lines, chance, alpha):
    bad = 0
    for n, hits in lines:
        tail = sum(comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(hits, n + 1))
        bad += tail >= alpha
    return bad
