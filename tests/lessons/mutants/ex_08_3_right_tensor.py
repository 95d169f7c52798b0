"""The hits stay a tensor, and so does the p-value."""

import torch
from scipy.stats import binom

EXERCISE = "08.3"


def read_bits(average, asked, bits):
    hits = (torch.sign(asked @ average) == 2 * bits - 1).sum()
    return hits, torch.tensor(binom.sf(hits.item() - 1, len(bits), 0.5))
