"""Overlap times score decides."""

EXERCISE = "04.2"
MISTAKE = "product"


def read_sign(overlaps, scores, labels):
    answer, best = -1, 0.0
    for overlap, score, label in zip(overlaps.tolist(), scores.tolist(), labels.tolist()):
        if overlap >= 0.5 and score >= 0.5 and overlap * score > best:
            answer, best = label, overlap * score
    return answer
