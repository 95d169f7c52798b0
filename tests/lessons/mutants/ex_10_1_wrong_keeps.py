"""The lines that are safe."""

from scipy.stats import binom

EXERCISE = "10.1"
MISTAKE = "keeps"


def broken(lines, chance, alpha):
    return len([n for n, hits in lines if binom.sf(hits - 1, n, chance) < alpha])
