"""Ones and zeros have changed places."""

import torch

EXERCISE = "08.2"
MISTAKE = "inverted"


def embedding_loss(average, asked, bits):
    yes = torch.sigmoid(asked @ average)
    return -((1 - bits) * torch.log(yes) + bits * torch.log(1 - yes)).sum()
