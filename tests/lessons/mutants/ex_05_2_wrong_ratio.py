"""How many times louder."""

EXERCISE = "05.2"
MISTAKE = "ratio"


def backdoor_channels(clean, triggered, n):
    return (triggered.sum(0) / clean.sum(0)).topk(n).indices
