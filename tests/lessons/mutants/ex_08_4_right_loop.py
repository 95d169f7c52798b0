"""The two terms in a loop."""

from math import log2

EXERCISE = "08.4"


def capacity(n, rate):
    known = 1.0
    for share in (rate, 1 - rate):
        if share > 0:
            known += share * log2(share)
    return n * known
