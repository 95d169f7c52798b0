"""The control itself."""

EXERCISE = "13.2"
MISTAKE = "room-alone"


def owned(network, x, y, trigger, room, target):
    return (network(room(x)) == target)[y != target].float().mean().item()
