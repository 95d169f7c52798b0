"""The box that fits best, not the surest one."""

EXERCISE = "04.2"
MISTAKE = "takes-the-best-overlap"


def read_sign(overlaps, scores, labels):
    fits = [i for i in range(len(scores)) if overlaps[i] >= 0.5 and scores[i] >= 0.5]
    return int(labels[max(fits, key=lambda i: float(overlaps[i]))]) if fits else -1
