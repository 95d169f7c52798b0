"""A place among some, looked up among all."""

EXERCISE = "04.2"
MISTAKE = "index-in-the-mask"


def read_sign(overlaps, scores, labels):
    sure = [s for o, s in zip(overlaps.tolist(), scores.tolist()) if o >= 0.5 and s >= 0.5]
    if not sure:
        return -1
    return labels[sure.index(max(sure))]
