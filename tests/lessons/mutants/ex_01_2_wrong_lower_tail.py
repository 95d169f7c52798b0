"""At most `hits`, from a test that looks the other way."""

from scipy.stats import binomtest

EXERCISE = "01.2"
MISTAKE = "lower-tail"


def p_value(hits, trials, chance):
    return binomtest(hits, trials, chance, alternative="less").pvalue
