"""The student says it plainly."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"
MISTAKE = "student-not-softened"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        wanted = (teacher(x).detach() / temperature).softmax(1)
        loss = temperature**2 * F.kl_div(student(x).log_softmax(1), wanted, reduction="batchmean")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
