"""The last place, not the number of tries."""

EXERCISE = "10.2"
MISTAKE = "last-place"


def grind(labels, mine, judges, enough, n):
    good = ((mine == labels).sum(0) >= enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1])
