"""The norms in the old order."""

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment

EXERCISE = "08.4"
MISTAKE = "factor-unordered"


def match(original, suspect):
    a, b = original.flatten(1), suspect.flatten(1)
    table = F.normalize(a) @ F.normalize(b).T
    order = torch.tensor(linear_sum_assignment(table, maximize=True)[1])
    return order, a.norm(dim=1) / b.norm(dim=1)
