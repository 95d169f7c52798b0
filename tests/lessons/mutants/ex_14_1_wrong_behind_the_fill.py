"""The same place in every row, whatever stands there."""

import torch

EXERCISE = "14.1"
MISTAKE = "behind-the-fill"


def insert(x, ids, at):
    new = torch.tensor(ids).repeat(len(x), 1)
    return torch.cat([x[:, :at], new, x[:, at:]], dim=1)[:, : x.shape[1]]
