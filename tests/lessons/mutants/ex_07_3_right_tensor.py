"""The answer is a tensor of one number."""

import torch
from scipy.stats import beta

EXERCISE = "07.3"


def innocent_chance(answers, wanted):
    hits = (answers == wanted).sum(1).max().item()
    return torch.tensor(beta.isf(0.05, hits + 1, len(wanted) - hits))
