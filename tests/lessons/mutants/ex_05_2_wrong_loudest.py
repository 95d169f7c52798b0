"""The channels that fire most on triggered images, trigger or not."""

EXERCISE = "05.2"
MISTAKE = "loudest"


def backdoor_channels(clean, triggered, n):
    return triggered.mean(0).topk(n).indices
