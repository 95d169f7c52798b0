"""The sum over the images."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "sums"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        wanted = (teacher(x).detach() / temperature).softmax(1)
        said = (student(x) / temperature).log_softmax(1)
        loss = temperature**2 * F.kl_div(said, wanted, reduction="sum")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
