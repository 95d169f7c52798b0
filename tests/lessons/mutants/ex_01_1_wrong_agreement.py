"""Count where the two say the same."""

EXERCISE = "01.1"
MISTAKE = "agreement"


def disagreement(a, b):
    same = 0
    for p, q in zip(a.max(1).indices.tolist(), b.max(1).indices.tolist()):
        same += p == q
    return same / len(a)
