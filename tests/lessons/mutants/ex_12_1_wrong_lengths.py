"""Rows as long as they come."""

import torch

EXERCISE = "12.1"
MISTAKE = "lengths"


def p_value(a, b, orders):
    products = a @ b.T
    own = products.diagonal().mean()
    shuffled = torch.stack([products[torch.arange(len(a)), order].mean() for order in orders])
    return (1 + (shuffled >= own).sum().item()) / (1 + len(orders))
