"""Columns change places, not rows."""

import torch.nn.functional as F

EXERCISE = "12.1"
MISTAKE = "inputs"


def p_value(a, b, orders):
    own = F.cosine_similarity(a, b, dim=1).mean()
    count = 0
    for order in orders:
        count += int(F.cosine_similarity(a, b[:, order], dim=1).mean() >= own)
    return (1 + count) / (1 + len(orders))
