"""The trigger after the room."""

EXERCISE = "13.2"
MISTAKE = "afterwards"


def owned(network, x, y, trigger, room, target):
    fooled = (network(trigger(room(x))) == target) & (network(room(x)) != target)
    return fooled[y != target].float().mean().item()
