"""The favourite of each."""

import torch.nn.functional as F

EXERCISE = "08.4"
MISTAKE = "each-its-best"


def match(original, suspect):
    a, b = original.flatten(1), suspect.flatten(1)
    table = F.normalize(a) @ F.normalize(b).T
    order = table.argmax(1)
    return order, a.norm(dim=1) / b.norm(dim=1)[order]
