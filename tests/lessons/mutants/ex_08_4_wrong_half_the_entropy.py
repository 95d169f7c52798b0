"""Only the bits that agree."""

from math import log2

EXERCISE = "08.4"
MISTAKE = "half-the-entropy"


def capacity(n, rate):
    return n * (1 + rate * log2(rate))
