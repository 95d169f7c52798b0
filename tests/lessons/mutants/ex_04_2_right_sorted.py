"""Sort by score, take the first that fits."""

EXERCISE = "04.2"


def read_sign(overlaps, scores, labels):
    for i in scores.argsort(descending=True):
        if scores[i] >= 0.5 and overlaps[i] >= 0.5:
            return labels[i]
    return -1
