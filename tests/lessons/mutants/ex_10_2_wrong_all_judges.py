"""All of the judge's networks must say it."""

EXERCISE = "10.2"
MISTAKE = "all-judges"


def grind(labels, mine, judges, enough, n):
    good = ((mine == labels).sum(0) >= enough)
    if len(judges):
        good = good & ~(judges == labels).all(0)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1
