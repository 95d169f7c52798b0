"""After a failure, all from the beginning."""

import torch

EXERCISE = "11.1"
MISTAKE = "from-the-start"


def gather(ask, x, batch, tries):
    labels = torch.full((len(x),), -1)
    first = failures = 0
    while first < len(x):
        try:
            labels[first : first + batch] = ask(x[first : first + batch])
            first += batch
            failures = 0
        except OSError:
            first = 0
            failures += 1
            if failures == tries:
                break
    return labels
