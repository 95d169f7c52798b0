"""Exactly h, beyond the mean."""

from math import comb

EXERCISE = "07.2"
MISTAKE = "point-probability"


def hits_needed(trials, chance, alpha):
    hits = round(trials * chance)
    while hits <= trials and comb(trials, hits) * chance**hits * (1 - chance) ** (trials - hits) >= alpha:
        hits += 1
    return hits
