"""In place."""

EXERCISE = "09.1"
MISTAKE = "changes-its-input"


def prune(weight, ratio):
    weight.view(-1)[weight.abs().flatten().argsort()[: int(ratio * weight.numel())]] = 0
    return weight
