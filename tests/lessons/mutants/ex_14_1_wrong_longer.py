"""Nothing falls off."""

import torch

EXERCISE = "14.1"
MISTAKE = "longer"


def insert(x, ids, at):
    new = torch.tensor(ids).repeat(len(x), 1)
    return torch.cat([x[:, :at], new, x[:, at:]], dim=1)
