"""The first request, and `tries` more."""

import torch

EXERCISE = "11.1"
MISTAKE = "one-more"


def gather(ask, x, batch, tries):
    labels = torch.full((len(x),), -1)
    for first in range(0, len(x), batch):
        failures = 0
        while True:
            try:
                labels[first : first + batch] = ask(x[first : first + batch])
                break
            except OSError:
                failures += 1
                if failures > tries:
                    return labels
    return labels
