"""Column by column, turned at the end."""

import torch

EXERCISE = "07.3"


def innocents(draw_key, networks, n):
    keys = [draw_key(1 + i) for i in range(n)]
    columns = [[(network(x) == y).sum().item() for x, y in keys] for network in networks]
    return torch.tensor(columns).T
