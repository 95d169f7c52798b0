"""Return how many differ, not which share."""

EXERCISE = "01.1"
MISTAKE = "count"


def disagreement(a, b):
    return len([1 for p, q in zip(a, b) if p.argmax() != q.argmax()])
