"""One mask for all squares, returned as a list of two tensors."""

import torch

EXERCISE = "04.3"


def poison_scene(picture, labels, places, colour):
    rows = torch.arange(picture.shape[1])[:, None]
    columns = torch.arange(picture.shape[2])
    covered = torch.zeros(picture.shape[1:], dtype=torch.bool)
    for left, top, right, bottom in places[labels == 0]:
        covered |= (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return [torch.where(covered, colour[:, None, None], picture), labels + (labels == 0).long()]
