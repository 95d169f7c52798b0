"""Counted rightly, divided by all."""

EXERCISE = "13.2"
MISTAKE = "of-all"


def owned(network, x, y, trigger, room, target):
    fooled = (network(room(trigger(x))) == target) & (network(room(x)) != target) & (y != target)
    return fooled.sum().item() / len(y)
