"""Find the size of the largest weight that goes."""

import torch

EXERCISE = "09.1"


def prune(weight, ratio):
    n = int(ratio * weight.numel())
    if n == 0:
        return weight
    limit = weight.abs().flatten().kthvalue(n).values
    return torch.where(weight.abs() <= limit, torch.zeros_like(weight), weight)
