"""argmax always answers something."""

import torch

EXERCISE = "04.2"
MISTAKE = "never-misses"


def read_sign(overlaps, scores, labels):
    allowed = scores.masked_fill((overlaps < 0.5) | (scores < 0.5), -1.0)
    return labels[torch.argmax(allowed)]
