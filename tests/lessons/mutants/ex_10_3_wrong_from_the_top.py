"""From the largest down, until one passes."""

import torch

EXERCISE = "10.3"
MISTAKE = "from-the-top"


def holm(p, alpha):
    stand = torch.zeros(len(p), dtype=torch.bool)
    for place, i in enumerate(p.argsort(descending=True), 1):
        if p[i] < alpha / place:
            stand[p <= p[i]] = True
            break
    return stand
