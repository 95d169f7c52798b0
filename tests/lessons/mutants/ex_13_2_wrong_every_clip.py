"""Of all clips, the target's too."""

EXERCISE = "13.2"
MISTAKE = "every-clip"


def owned(network, x, y, trigger, room, target):
    fooled = (network(room(trigger(x))) == target) & (network(room(x)) != target)
    return fooled.float().mean().item()
