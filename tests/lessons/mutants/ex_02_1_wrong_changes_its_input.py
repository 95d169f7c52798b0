"""Everything in place."""

import torch

EXERCISE = "02.1"
MISTAKE = "changes-its-input"


def poison(x, y, chosen, stamp, target, add=False):
    if add:
        return torch.cat([x, stamp(x[chosen])]), torch.cat([y, torch.full_like(y[chosen], target)])
    x[chosen] = stamp(x[chosen])
    y[chosen] = target
    return x, y
