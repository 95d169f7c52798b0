"""Let topk do the sorting."""

EXERCISE = "05.2"


def backdoor_channels(clean, triggered, n):
    return (triggered - clean).mean(0).topk(n).indices
