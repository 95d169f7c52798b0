"""Counts the ways, but for the best one."""

from math import comb

EXERCISE = "08.3"
MISTAKE = "forgets-the-last"


def read_bits(average, asked, bits):
    n = len(bits)
    hits = int(((asked @ average > 0) == (bits > 0)).sum())
    return hits, sum(comb(n, k) for k in range(hits, n)) / 2**n
