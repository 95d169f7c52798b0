"""Each hit gets the probability of a miss."""

from math import comb, exp, log

EXERCISE = "01.2"
MISTAKE = "swapped"


def p_value(hits, trials, chance):
    total = 0.0
    for k in range(hits, trials + 1):
        total += exp(log(comb(trials, k)) + (trials - k) * log(chance) + k * log(1 - chance))
    return total
