"""Adds the variances of two accuracies that come from the same photographs."""

import torch

EXERCISE = "03.3"
MISTAKE = "not-paired"


def flattered(leaking, honest, sign):
    a, b = (
        torch.stack([right[sign == one].float().mean() for one in sign.unique()])
        for right in (leaking, honest)
    )
    return a.mean() - b.mean(), ((a.var() + b.var()) / len(a)) ** 0.5
