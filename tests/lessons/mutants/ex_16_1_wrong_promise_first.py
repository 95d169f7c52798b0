"""Who promised first is first."""

EXERCISE = "16.1"
MISTAKE = "promise-first"


def first(entries, who):
    return min((e["number"] for e in entries if e["kind"] == "commitment" and e["by"] == who), default=None)


def has_standing(entries, licences, claimant, accused, weights):
    for p in licences:
        if p["genuine"] and p["by"] == claimant and p["to"] == accused and p["weights"] == weights:
            return False
    mine, his = first(entries, claimant), first(entries, accused)
    return mine is not None and (his is None or mine < his)
