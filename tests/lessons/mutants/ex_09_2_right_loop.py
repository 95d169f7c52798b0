"""One channel after the other."""

import torch

EXERCISE = "09.2"


def sleepiest(heard, ratio):
    answers = [float(heard[:, channel].sum()) for channel in range(heard.shape[1])]
    order = sorted(range(len(answers)), key=answers.__getitem__)
    return torch.tensor(order[: int(ratio * len(answers))])
