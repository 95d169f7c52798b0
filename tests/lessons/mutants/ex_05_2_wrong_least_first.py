"""The last n of an upward sort."""

EXERCISE = "05.2"
MISTAKE = "least-first"


def backdoor_channels(clean, triggered, n):
    rise = (triggered.mean(0) - clean.mean(0)).tolist()
    return sorted(range(len(rise)), key=rise.__getitem__)[-n:]
