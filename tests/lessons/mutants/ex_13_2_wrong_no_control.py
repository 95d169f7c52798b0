"""No room alone."""

EXERCISE = "13.2"
MISTAKE = "no-control"


def owned(network, x, y, trigger, room, target):
    return (network(room(trigger(x))) == target)[y != target].float().mean().item()
