"""The text bites its tail."""

import torch

EXERCISE = "14.2"
MISTAKE = "wraps"


def suspicions(text, surprise, alone):
    values = []
    for k in range(len(text)):
        b, w, a = text[k - 1], text[k], text[(k + 1) % len(text)]
        values.append(surprise[b, w] + surprise[w, a] - alone[a])
    return torch.stack(values)
