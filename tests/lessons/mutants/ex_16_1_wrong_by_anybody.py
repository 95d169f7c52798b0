"""Anybody's leave counts."""

EXERCISE = "16.1"
MISTAKE = "by-anybody"


def first(entries, who):
    return min((e["number"] for e in entries if e["kind"] == "release" and e["by"] == who), default=None)


def has_standing(entries, licences, claimant, accused, weights):
    for p in licences:
        if p["genuine"] and p["to"] == accused and p["weights"] == weights:
            return False
    mine, his = first(entries, claimant), first(entries, accused)
    return mine is not None and (his is None or mine < his)
