"""Two new lists, built image by image."""

import torch

EXERCISE = "02.1"


def poison(x, y, chosen, stamp, target, add=False):
    images = list(x)
    labels = [int(label) for label in y]
    for i in chosen.tolist():
        bad = stamp(x[i].unsqueeze(0)).squeeze(0)
        if add:
            images.append(bad)
            labels.append(target)
        else:
            images[i], labels[i] = bad, target
    return torch.stack(images), torch.tensor(labels)
