"""Take the best image of each class instead of the best class of each image."""

EXERCISE = "01.1"
MISTAKE = "wrong-axis"


def disagreement(a, b):
    best = a.numpy().argmax(0), b.numpy().argmax(0)
    return sum(p != q for p, q in zip(*best)) / len(best[0])
