"""The first row, again and again."""

import torch

EXERCISE = "13.3"
MISTAKE = "one-row"


def plausible(x, picks):
    return torch.stack([x[picks[0], torch.arange(x.shape[1])] for _ in picks])
