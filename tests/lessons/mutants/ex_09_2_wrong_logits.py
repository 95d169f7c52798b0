"""Softened logits, squared."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "logits"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        apart = (student(x) - teacher(x).detach()) / temperature
        optimiser.zero_grad()
        (temperature**2 * apart.square().mean()).backward()
        optimiser.step()
