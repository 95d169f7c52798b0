"""Inner words only."""

import torch

EXERCISE = "14.2"
MISTAKE = "no-ends"


def suspicions(text, surprise, alone):
    values = []
    for k in range(1, len(text) - 1):
        b, w, a = text[k - 1], text[k], text[k + 1]
        values.append(surprise[b, w] + surprise[w, a] - alone[a])
    return torch.tensor(values)
