"""Two new lists, built image by image."""

import torch

EXERCISE = "02.1"


def poison(x, y, chosen, stamp, target):
    picked, images, labels = set(chosen.tolist()), [], []
    for i in range(len(x)):
        images.append(stamp(x[i].unsqueeze(0)).squeeze(0) if i in picked else x[i])
        labels.append(target if i in picked else int(y[i]))
    return torch.stack(images), torch.tensor(labels)
