"""Licences are not read."""

EXERCISE = "16.1"
MISTAKE = "no-licences"


def first(entries, who):
    return min((e["number"] for e in entries if e["kind"] == "release" and e["by"] == who), default=None)


def has_standing(entries, licences, claimant, accused, weights):
    mine, his = first(entries, claimant), first(entries, accused)
    return mine is not None and (his is None or mine < his)
