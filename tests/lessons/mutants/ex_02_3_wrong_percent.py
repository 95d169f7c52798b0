"""A percentage."""

EXERCISE = "02.3"
MISTAKE = "percent"


def attack_success(predicted, true, target):
    others = true != target
    return (predicted[others] == target).float().mean().item() * 100
