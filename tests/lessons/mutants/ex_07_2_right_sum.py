"""The tail summed term by term."""

from math import comb

EXERCISE = "07.2"


def hits_needed(trials, chance, alpha):
    hits, tail = trials + 1, 0.0
    while tail < alpha:
        hits -= 1
        tail += comb(trials, hits) * chance**hits * (1 - chance) ** (trials - hits)
    return hits + 1
