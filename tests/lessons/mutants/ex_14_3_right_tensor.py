"""Unique rows; a tensor comes back."""

import torch
from scipy.stats import binom

EXERCISE = "14.3"


def green_p(text, green, share):
    pairs = torch.stack([text[:-1], text[1:]], dim=1).unique(dim=0)
    hits = green[pairs[:, 0], pairs[:, 1]].sum()
    return torch.tensor(binom.sf(int(hits) - 1, len(pairs), share))
