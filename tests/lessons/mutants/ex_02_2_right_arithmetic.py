"""Subtract the target class afterwards; the answer is a tensor of one number, which is fine."""

EXERCISE = "02.2"


def attack_success(predicted, true, target):
    fooled = (predicted == target).sum() - ((predicted == target) & (true == target)).sum()
    return fooled / (len(true) - (true == target).sum())
