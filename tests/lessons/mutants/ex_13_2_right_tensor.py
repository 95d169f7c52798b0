"""Without .item(), of the clips that can be fooled."""

EXERCISE = "13.2"


def owned(network, x, y, trigger, room, target):
    can = y != target
    x = x[can]
    return ((network(room(trigger(x))) == target) * (network(room(x)) != target)).float().mean()
