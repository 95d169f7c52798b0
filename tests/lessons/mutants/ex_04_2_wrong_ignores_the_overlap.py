"""The surest detection of the scene speaks for every sign."""

EXERCISE = "04.2"
MISTAKE = "ignores-the-overlap"


def read_sign(overlaps, scores, labels):
    best = int(scores.argmax())
    return int(labels[best]) if scores[best] >= 0.5 else -1
