"""Plain Python, image by image, class by class."""

EXERCISE = "01.1"


def disagreement(a, b):
    differ = 0
    for p, q in zip(a.tolist(), b.tolist()):
        differ += p.index(max(p)) != q.index(max(q))
    return differ / len(a)
