"""How much of a is covered: that is recall, not IoU."""

EXERCISE = "04.1"
MISTAKE = "divides-by-one-box"


def iou(a, b):
    out = []
    for box in b:
        wide = max(0.0, float(min(a[2], box[2]) - max(a[0], box[0])))
        tall = max(0.0, float(min(a[3], box[3]) - max(a[1], box[1])))
        out.append(wide * tall / float((a[2] - a[0]) * (a[3] - a[1])))
    return out
