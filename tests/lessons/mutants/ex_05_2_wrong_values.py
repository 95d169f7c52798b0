"""How much they rise, not which they are."""

EXERCISE = "05.2"
MISTAKE = "values"


def backdoor_channels(clean, triggered, n):
    return (triggered.mean(0) - clean.mean(0)).topk(n).values
