"""The largest rise on any one image, not on average."""

EXERCISE = "05.2"
MISTAKE = "one-image"


def backdoor_channels(clean, triggered, n):
    return (triggered - clean).amax(0).topk(n).indices
