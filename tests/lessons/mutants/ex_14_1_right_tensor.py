"""No loop: each place of the new text says where its word comes from."""

import torch

EXERCISE = "14.1"


def insert(x, ids, at):
    n, length = x.shape
    size = (x > 0).sum(1).clamp(max=length - len(ids))
    place = size.clamp(max=at)[:, None]
    column = torch.arange(length).expand(n, -1)
    moved = x.gather(1, torch.where(column < place, column, (column - len(ids)).clamp(min=0)))
    new = torch.tensor(ids)[(column - place).clamp(0, len(ids) - 1)]
    return torch.where((column >= place) & (column < place + len(ids)), new, moved)
