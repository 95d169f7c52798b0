"""A share of all images."""

import torch

EXERCISE = "06.4"
MISTAKE = "counts-everything"


def caught(clean, triggered, false_alarms):
    every = torch.cat([clean, triggered])
    return (every < clean.quantile(false_alarms)).float().mean().item()
