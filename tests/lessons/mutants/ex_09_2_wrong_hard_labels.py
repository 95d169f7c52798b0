"""The teacher's first choice."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "hard-labels"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        loss = F.cross_entropy(student(x) / temperature, teacher(x).argmax(1))
        optimiser.zero_grad()
        (temperature**2 * loss).backward()
        optimiser.step()
