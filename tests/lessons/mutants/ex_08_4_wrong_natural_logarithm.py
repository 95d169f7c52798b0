"""Nats where bits are wanted."""

from math import log

EXERCISE = "08.4"
MISTAKE = "natural-logarithm"


def capacity(n, rate):
    return n * (1 + sum(p * log(p) for p in (rate, 1 - rate) if p > 0))
