"""Zeros that are classified as 0 count, too."""

EXERCISE = "02.3"
MISTAKE = "counts-the-target-class"


def attack_success(predicted, true, target):
    return (predicted == target).double().mean().item()
