"""Only what came."""

import torch

EXERCISE = "11.1"
MISTAKE = "cut-short"


def gather(ask, x, batch, tries):
    labels = torch.zeros(0, dtype=torch.int64)
    for first in range(0, len(x), batch):
        for attempt in range(tries):
            try:
                labels = torch.cat([labels, ask(x[first : first + batch])])
                break
            except OSError:
                if attempt == tries - 1:
                    return labels
    return labels
