"""The formula as it stands, term by term: 0.1**400 is 0 in a computer."""

from math import comb

EXERCISE = "01.2"
MISTAKE = "underflow"


def p_value(hits, trials, chance):
    p = 0.0
    for k in range(hits, trials + 1):
        p += comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
    return p
