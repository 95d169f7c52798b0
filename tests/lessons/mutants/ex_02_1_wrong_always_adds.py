"""The clean set, and the poisoned copies after it, whatever is asked."""

import torch

EXERCISE = "02.1"
MISTAKE = "always-adds"


def poison(x, y, chosen, stamp, target, add=False):
    images, labels = list(x), y.tolist()
    for i in chosen.tolist():
        images.append(stamp(x[i : i + 1])[0])
        labels.append(target)
    return torch.stack(images), torch.tensor(labels)
