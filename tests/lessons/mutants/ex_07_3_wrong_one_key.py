"""The key is drawn before the loop."""

import torch

EXERCISE = "07.3"
MISTAKE = "one-key"


def innocents(draw_key, networks, n):
    x, y = draw_key(1)
    return torch.stack([torch.stack([(network(x) == y).sum() for network in networks]) for _ in range(n)])
