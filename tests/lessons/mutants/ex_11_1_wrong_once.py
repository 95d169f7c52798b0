"""A request that fails is left out."""

import torch

EXERCISE = "11.1"
MISTAKE = "once"


def gather(ask, x, batch, tries):
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        try:
            labels[first : first + batch] = ask(x[first : first + batch])
        except OSError:
            pass
    return labels
