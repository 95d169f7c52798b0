"""A plus for a minus."""

import torch

EXERCISE = "14.2"
MISTAKE = "adds"


def suspicions(text, surprise, alone):
    row = torch.nn.functional.pad(text, (1, 1))
    return surprise[row[:-2], row[1:-1]] + surprise[row[1:-1], row[2:]] + alone[row[2:]]
