"""Plain Python: sort the channel numbers by how much they rise."""

EXERCISE = "05.2"


def backdoor_channels(clean, triggered, n):
    rise = [float(t.mean() - c.mean()) for c, t in zip(clean.T, triggered.T)]
    return sorted(range(len(rise)), key=lambda channel: -rise[channel])[:n]
