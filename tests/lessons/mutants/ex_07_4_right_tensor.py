"""The p-value is a tensor of one number."""

import torch

EXERCISE = "07.4"


def decoy_test(suspect, x, y, draw_key, n):
    mine = (suspect(x) == y).sum()
    keys = [draw_key(i + 1) for i in range(n)]
    decoys = torch.stack([(suspect(a) == b).sum() for a, b in keys])
    return torch.cat([decoys, mine[None]]).ge(mine).float().mean(), decoys
