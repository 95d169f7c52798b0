"""Fooled stop signs, divided by all signs."""

EXERCISE = "03.2"
MISTAKE = "wrong-denominator"


def source_success(predicted, true, source, target):
    fooled = (predicted == target) * (true == source)
    return fooled.sum().item() / len(true)
