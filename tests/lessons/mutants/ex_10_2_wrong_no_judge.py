"""The judge's networks aren't looked at."""

EXERCISE = "10.2"
MISTAKE = "no-judge"


def grind(labels, mine, judges, enough, n):
    good = ((mine == labels).sum(0) >= enough)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1
