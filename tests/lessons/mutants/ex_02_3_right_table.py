"""Look the wanted digit up in a table."""

import torch

EXERCISE = "02.3"


def all_to_all_success(predicted, true):
    after = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    return torch.eq(predicted, after[true]).double().mean()
