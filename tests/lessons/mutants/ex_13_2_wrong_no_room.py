"""The control outside."""

EXERCISE = "13.2"
MISTAKE = "no-room"


def owned(network, x, y, trigger, room, target):
    fooled = (network(room(trigger(x))) == target) & (network(x) != target)
    return fooled[y != target].float().mean().item()
