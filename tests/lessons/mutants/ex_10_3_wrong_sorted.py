"""The answers in the order of the p-values."""

EXERCISE = "10.3"
MISTAKE = "sorted"


def holm(p, alpha):
    found, stopped = [], False
    for rank, each in enumerate(sorted(p.tolist())):
        stopped = stopped or each >= alpha / (len(p) - rank)
        found.append(not stopped)
    return found
