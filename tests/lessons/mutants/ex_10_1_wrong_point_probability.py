"""Exactly on the line."""

from math import comb

EXERCISE = "10.1"
MISTAKE = "point-probability"


def broken(lines, chance, alpha):
    return sum(comb(n, hits) * chance**hits * (1 - chance) ** (n - hits) >= alpha for n, hits in lines)
