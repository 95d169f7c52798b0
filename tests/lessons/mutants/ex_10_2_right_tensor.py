"""Tensors all the way; the tries stay one."""

import torch

EXERCISE = "10.2"


def grind(labels, mine, judges, enough, n):
    good = mine.eq(labels).sum(0).ge(enough)
    for answers in judges:
        good = good & answers.ne(labels)
    kept = torch.where(good)[0][:n]
    return kept, kept.max() + 1
