"""Counted one by one."""

EXERCISE = "13.2"


def owned(network, x, y, trigger, room, target):
    first, second = network(room(trigger(x))), network(room(x))
    fooled = others = 0
    for with_both, alone, label in zip(first.tolist(), second.tolist(), y.tolist()):
        if label != target:
            others += 1
            fooled += with_both == target and alone != target
    return fooled / others
