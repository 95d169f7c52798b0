"""Columns for rows."""

import torch

EXERCISE = "14.2"
MISTAKE = "turned"


def suspicions(text, surprise, alone):
    row = torch.nn.functional.pad(text, (1, 1))
    surprise = surprise.T
    return surprise[row[:-2], row[1:-1]] + surprise[row[1:-1], row[2:]] - alone[row[2:]]
