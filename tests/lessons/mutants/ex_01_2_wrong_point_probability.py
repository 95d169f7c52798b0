"""Exactly `hits`, by the formula."""

from math import comb

EXERCISE = "01.2"
MISTAKE = "point-probability"


def p_value(hits, trials, chance):
    return comb(trials, hits) * chance**hits * (1 - chance) ** (trials - hits)
