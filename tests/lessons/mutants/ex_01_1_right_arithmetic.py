"""One minus the agreement; the answer is a tensor of one number."""

EXERCISE = "01.1"


def disagreement(a, b):
    return 1 - (a.sort(1).indices[:, -1] == b.sort(1).indices[:, -1]).double().mean()
