"""Whole batches only."""

import torch

EXERCISE = "11.1"
MISTAKE = "last-batch"


def gather(ask, x, batch, tries):
    labels = torch.full((len(x),), -1)
    for i in range(len(x) // batch):
        for attempt in range(tries):
            try:
                labels[i * batch : (i + 1) * batch] = ask(x[i * batch : (i + 1) * batch])
                break
            except OSError:
                if attempt == tries - 1:
                    return labels
    return labels
