"""Tensors go in as they are; a tensor comes back."""

import torch
from scipy.stats import hypergeom

EXERCISE = "12.2"


def lot_p(wrong, lot):
    return torch.tensor(hypergeom.sf((wrong & ~lot).sum() - 1, len(lot), (~lot).sum(), wrong.sum()))
