"""A dead API is asked on and on."""

import torch

EXERCISE = "11.1"
MISTAKE = "goes-on"


def gather(ask, x, batch, tries):
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        for _ in range(tries):
            try:
                labels[first : first + batch] = ask(x[first : first + batch])
                break
            except OSError:
                continue
    return labels
