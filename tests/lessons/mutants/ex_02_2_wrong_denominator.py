"""The target class is left out of the numerator only."""

EXERCISE = "02.2"
MISTAKE = "wrong-denominator"


def attack_success(predicted, true, target):
    fooled = (predicted == target) * (true != target)
    return fooled.sum().item() / len(true)
