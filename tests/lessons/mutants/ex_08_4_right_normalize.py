"""Rows of norm 1, and SciPy."""

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment

EXERCISE = "08.4"


def match(original, suspect):
    ours, theirs = (F.normalize(w.detach().cpu().flatten(1)) for w in (original, suspect))
    order = torch.tensor(linear_sum_assignment(ours @ theirs.T, maximize=True)[1])
    a, b = original.detach().cpu().flatten(1), suspect.detach().cpu().flatten(1)
    return order, a.norm(dim=1) / b[order].norm(dim=1)
