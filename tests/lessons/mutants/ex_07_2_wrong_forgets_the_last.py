"""A sum whose range leaves its end out."""

from math import comb

EXERCISE = "07.2"
MISTAKE = "forgets-the-last"


def hits_needed(trials, chance, alpha):
    for h in range(trials + 2):
        tail = sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(h, trials))
        if tail < alpha:
            return h
