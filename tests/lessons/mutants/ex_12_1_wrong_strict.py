"""More, not as many."""

import torch
import torch.nn.functional as F

EXERCISE = "12.1"
MISTAKE = "strict"


def p_value(a, b, orders):
    cosines = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T
    own = cosines.diagonal().mean()
    shuffled = torch.stack([cosines[torch.arange(len(a)), order].mean() for order in orders])
    return (1 + (shuffled > own).sum().item()) / (1 + len(orders))
