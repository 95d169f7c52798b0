"""Cross-entropy with the teacher's probabilities: another loss, the same slopes."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        wanted = F.softmax(teacher(x).detach() / temperature, dim=-1)
        loss = F.cross_entropy(student(x) / temperature, wanted) * temperature**2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return student
