"""Sorted pairs, and a list of truth values."""

EXERCISE = "10.3"


def holm(p, alpha):
    claims = sorted(enumerate(p.tolist()), key=lambda claim: claim[1])
    found, left = [False] * len(claims), len(claims)
    while left and claims[-left][1] < alpha / left:
        found[claims[-left][0]] = True
        left -= 1
    return found
