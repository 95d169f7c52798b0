"""Only ones cost anything."""

import torch

EXERCISE = "08.2"
MISTAKE = "forgets-the-zeros"


def embedding_loss(average, asked, bits):
    return -(bits * torch.log(torch.sigmoid(asked @ average))).sum()
