"""Slopes, and no step."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "stands-still"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        wanted = (teacher(x).detach() / temperature).softmax(1)
        said = (student(x) / temperature).log_softmax(1)
        optimiser.zero_grad()
        (temperature**2 * F.kl_div(said, wanted, reduction="batchmean")).backward()
