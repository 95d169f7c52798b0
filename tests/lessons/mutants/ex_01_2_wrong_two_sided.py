"""Everything that is at most as likely, at both ends."""

import numpy as np
from scipy.stats import binom

EXERCISE = "01.2"
MISTAKE = "two-sided"


def p_value(hits, trials, chance):
    shares = binom.pmf(np.arange(trials + 1), trials, chance)
    return shares[shares <= shares[hits] * (1 + 1e-7)].sum()
