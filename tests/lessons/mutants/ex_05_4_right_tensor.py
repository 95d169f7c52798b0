"""A tensor of four, and the weights of a sum."""

import torch

EXERCISE = "05.4"


def owned(clean, triggered, control_clean, control_triggered):
    gaps = torch.tensor([[clean, triggered], [control_clean, control_triggered]], dtype=torch.float64)
    mine, other = gaps[:, 0] - gaps[:, 1]
    return mine - other
