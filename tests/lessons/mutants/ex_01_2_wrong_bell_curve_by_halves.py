"""The normal distribution, from half a hit below."""

from scipy.special import ndtr

EXERCISE = "01.2"
MISTAKE = "bell-curve-by-halves"


def p_value(hits, trials, chance):
    deviation = (trials * chance * (1 - chance)) ** 0.5
    return ndtr((trials * chance - hits + 0.5) / deviation)
