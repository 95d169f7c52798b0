"""Products instead of cosines."""

import torch
from scipy.optimize import linear_sum_assignment

EXERCISE = "08.4"
MISTAKE = "products"


def match(original, suspect):
    a, b = original.flatten(1), suspect.flatten(1)
    order = torch.tensor(linear_sum_assignment(a @ b.T, maximize=True)[1])
    return order, a.norm(dim=1) / b.norm(dim=1)[order]
