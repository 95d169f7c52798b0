"""PyTorch's entropy; the answer is a tensor of one number."""

import torch

EXERCISE = "08.4"


def capacity(n, rate):
    shares = torch.tensor([rate, 1 - rate], dtype=torch.float64)
    return n * (1 - torch.special.entr(shares).sum() / torch.log(torch.tensor(2.0, dtype=torch.float64)))
