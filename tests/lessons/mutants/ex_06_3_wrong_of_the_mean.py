"""The answers are averaged first."""

import torch

EXERCISE = "06.3"
MISTAKE = "of-the-mean"


def entropy(p):
    q = p.mean(1)
    return -torch.xlogy(q, q).sum(1) / torch.log(torch.tensor(2.0))
