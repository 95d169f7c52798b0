"""The temperature, once."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "only-the-temperature"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        wanted = (teacher(x).detach() / temperature).softmax(1)
        loss = temperature * F.cross_entropy(student(x) / temperature, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
