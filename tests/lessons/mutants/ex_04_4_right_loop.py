"""Box by box, then level by level."""

EXERCISE = "04.4"


def average_precision(scores, right, n):
    ranked = sorted(zip(scores.tolist(), right.tolist(), strict=True), reverse=True)
    curve = []
    found = 0
    for k, (_, hit) in enumerate(ranked, start=1):
        found += hit
        curve.append((found / n, found / k))
    total = 0
    for level in range(101):
        total += max((precision for recall, precision in curve if recall >= level / 100), default=0)
    return total / 101
