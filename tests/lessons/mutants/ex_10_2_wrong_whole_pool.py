"""The pool is counted, however early he stops."""

EXERCISE = "10.2"
MISTAKE = "whole-pool"


def grind(labels, mine, judges, enough, n):
    good = ((mine == labels).sum(0) >= enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, len(labels)
