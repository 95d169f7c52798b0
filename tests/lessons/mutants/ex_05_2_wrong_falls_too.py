"""The channels that change most, whichever way."""

EXERCISE = "05.2"
MISTAKE = "falls-too"


def backdoor_channels(clean, triggered, n):
    change = triggered.mean(0) - clean.mean(0)
    return change.square().topk(n).indices
