"""A tensor comes back, without `.item()`."""

import torch
import torch.nn.functional as F

EXERCISE = "12.1"


def p_value(a, b, orders):
    own = F.cosine_similarity(a, b, dim=1).mean()
    shuffled = torch.stack([F.cosine_similarity(a, b[order], dim=1).mean() for order in orders])
    return ((shuffled >= own - 1e-7).sum() + 1) / (len(orders) + 1)
