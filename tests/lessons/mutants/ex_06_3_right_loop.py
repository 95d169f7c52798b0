"""Loops, and an if for zero."""

EXERCISE = "06.3"


def entropy(p):
    import math

    def bits(answer):
        return -sum(x * math.log2(x) for x in answer if x > 0)

    return [sum(bits(answer) for answer in image) / len(image) for image in p.tolist()]
