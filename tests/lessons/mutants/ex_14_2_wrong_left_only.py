"""After the one before, no more."""

import torch

EXERCISE = "14.2"
MISTAKE = "left-only"


def suspicions(text, surprise, alone):
    before = torch.cat([torch.zeros(1, dtype=text.dtype), text[:-1]])
    return surprise[before, text]
