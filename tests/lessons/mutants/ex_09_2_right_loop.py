"""One image at a time; the slopes add up before the step."""

import torch
import torch.nn.functional as F

EXERCISE = "09.2"


def distil(teacher, student, batches, temperature, optimiser):
    for x in batches:
        optimiser.zero_grad()
        for chunk in x.split(len(x) // 2 or 1):
            with torch.no_grad():
                wanted = F.log_softmax(teacher(chunk) / temperature, dim=1)
            said = F.log_softmax(student(chunk) / temperature, dim=1)
            loss = F.kl_div(said, wanted, reduction="sum", log_target=True) / len(x)
            (temperature**2 * loss).backward()
        optimiser.step()
