"""The networks agree, but not with the label."""

EXERCISE = "10.2"
MISTAKE = "among-themselves"


def grind(labels, mine, judges, enough, n):
    good = ((mine == mine.mode(0).values).sum(0) >= enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1
