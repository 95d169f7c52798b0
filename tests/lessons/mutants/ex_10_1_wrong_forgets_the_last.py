"""The tail summed, but range leaves its end out."""

from math import comb

EXERCISE = "10.1"
MISTAKE = "forgets-the-last"


def broken(lines, chance, alpha):
    bad = 0
    for n, hits in lines:
        tail = sum(comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(hits, n))
        bad += tail >= alpha
    return bad
