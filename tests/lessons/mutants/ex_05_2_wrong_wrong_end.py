"""Sorted from the smallest rise, and cut there."""

EXERCISE = "05.2"
MISTAKE = "wrong-end"


def backdoor_channels(clean, triggered, n):
    return (triggered - clean).mean(0).sort().indices[:n]
