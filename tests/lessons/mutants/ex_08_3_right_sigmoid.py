"""Probabilities, cut at one half."""

import torch
from scipy.stats import binomtest

EXERCISE = "08.3"


def read_bits(average, asked, bits):
    hits = ((torch.sigmoid(asked @ average) > 0.5).float() == bits).sum().item()
    return hits, binomtest(hits, len(bits), 0.5, alternative="greater").pvalue
