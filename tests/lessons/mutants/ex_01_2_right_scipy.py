"""SciPy has the tail ready."""

from scipy.stats import binom

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    return binom.sf(hits - 1, trials, chance)
