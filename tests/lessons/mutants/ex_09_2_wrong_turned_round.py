"""The divergence of the teacher from the student."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "turned-round"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        wanted = (teacher(x).detach() / temperature).log_softmax(1)
        said = (student(x) / temperature).softmax(1)
        loss = temperature**2 * F.kl_div(wanted, said, reduction="batchmean")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
