"""Truth values in a tensor, added up."""

import torch
from scipy.stats import binom

EXERCISE = "10.1"


def broken(lines, chance, alpha):
    return torch.tensor([bool(binom.sf(hits - 1, n, chance) >= alpha) for n, hits in lines]).sum()
