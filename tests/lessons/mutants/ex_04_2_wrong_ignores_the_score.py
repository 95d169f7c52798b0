"""Even a faint detection may speak."""

EXERCISE = "04.2"
MISTAKE = "ignores-the-score"


def read_sign(overlaps, scores, labels):
    near = overlaps >= 0.5
    if not near.any():
        return -1
    return labels[near][scores[near].argmax()].item()
