"""The expected number of bits that agree."""

EXERCISE = "08.4"
MISTAKE = "counts-bits"


def capacity(n, rate):
    return rate * n
