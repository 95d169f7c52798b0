"""Only what was kept is counted."""

EXERCISE = "10.2"
MISTAKE = "kept-only"


def grind(labels, mine, judges, enough, n):
    good = ((mine == labels).sum(0) >= enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, len(kept)
