"""One network too many."""

EXERCISE = "10.2"
MISTAKE = "more-than-enough"


def grind(labels, mine, judges, enough, n):
    good = ((mine == labels).sum(0) > enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1
