"""More than the line, instead of at least the line."""

from math import comb

EXERCISE = "10.1"
MISTAKE = "off-by-one"


def broken(lines, chance, alpha):
    bad = 0
    for n, hits in lines:
        bad += sum(comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(hits + 1, n + 1)) >= alpha
    return bad
