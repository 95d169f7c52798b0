"""The perfect channel apart."""

from math import log

EXERCISE = "08.4"


def capacity(n, rate):
    if rate in (0, 1):
        return n
    return n + n * (rate * log(rate) + (1 - rate) * log(1 - rate)) / log(2)
