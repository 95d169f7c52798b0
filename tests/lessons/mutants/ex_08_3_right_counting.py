"""Counts the ways in which coins do as well."""

from math import comb

EXERCISE = "08.3"


def read_bits(average, asked, bits):
    hits = sum((x > 0) == (bit == 1) for x, bit in zip((asked @ average).tolist(), bits.tolist()))
    n = len(bits)
    return hits, sum(comb(n, k) for k in range(hits, n + 1)) / 2**n
