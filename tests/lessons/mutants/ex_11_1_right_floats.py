"""Parts put together at the end; labels come back as floats."""

import torch

EXERCISE = "11.1"


def gather(ask, x, batch, tries):
    parts = []
    dead = False
    for part in x.split(batch):
        found = torch.full((len(part),), -1.0)
        for attempt in range(0 if dead else tries):
            try:
                found = ask(part).float()
                break
            except Exception:
                dead = attempt == tries - 1
        parts.append(found)
    return torch.cat(parts)
