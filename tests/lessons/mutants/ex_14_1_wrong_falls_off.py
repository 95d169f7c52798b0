"""Inserted first, cut afterwards."""

import torch

EXERCISE = "14.1"
MISTAKE = "falls-off"


def insert(x, ids, at):
    out = torch.zeros_like(x)
    for i, row in enumerate(x.tolist()):
        words = [word for word in row if word != 0]
        words = (words[:at] + list(ids) + words[at:])[: len(row)]
        out[i, : len(words)] = torch.tensor(words)
    return out
