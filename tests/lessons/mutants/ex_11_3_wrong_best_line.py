"""The line that tells them apart best."""

import torch

EXERCISE = "11.3"
MISTAKE = "best-line"


def caught(members, strangers, alarms):
    best = 0.0
    for line in torch.cat([members, strangers]).tolist():
        gain = (members <= line).double().mean() - (strangers <= line).double().mean()
        best = max(best, gain.item())
    return best
