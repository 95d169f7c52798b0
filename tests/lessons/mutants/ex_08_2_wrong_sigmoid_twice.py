"""Gives probabilities to a function that wants logits."""

import torch

EXERCISE = "08.2"
MISTAKE = "sigmoid-twice"


def embedding_loss(average, asked, bits):
    yes = torch.sigmoid(asked @ average)
    return torch.nn.BCEWithLogitsLoss(reduction="sum")(yes, bits)
