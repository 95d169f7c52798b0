"""A sum over the filters, divided, and flattened by name."""

import torch

EXERCISE = "08.1"


def mean_filter(weight):
    return torch.einsum("oikl->ikl", weight).reshape(-1) / weight.shape[0]
