"""Plain Python: remember the surest so far."""

EXERCISE = "04.2"


def read_sign(overlaps, scores, labels):
    answer, best = -1, 0.0
    for overlap, score, label in zip(overlaps.tolist(), scores.tolist(), labels.tolist()):
        if overlap >= 0.5 and score >= 0.5 and score > best:
            answer, best = label, score
    return answer
