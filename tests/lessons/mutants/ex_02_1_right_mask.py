"""A mask and torch.where, returned as a list."""

import torch

EXERCISE = "02.1"


def poison(x, y, chosen, stamp, target, add=False):
    if add:
        lies = torch.tensor([target] * len(chosen), device=y.device)
        return [torch.cat((x, stamp(x[chosen]))), torch.cat((y, lies))]
    mask = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    mask[chosen] = True
    return [torch.where(mask[:, None, None, None], stamp(x), x), torch.where(mask, target, y)]
