"""New pictures, old labels."""

import torch

EXERCISE = "07.3"
MISTAKE = "labels-of-the-first"


def innocents(draw_key, networks, n):
    _, y = draw_key(1)
    rows = [[int((network(draw_key(i + 1)[0]) == y).sum()) for network in networks] for i in range(n)]
    return torch.tensor(rows)
