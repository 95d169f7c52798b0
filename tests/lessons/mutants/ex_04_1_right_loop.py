"""Plain Python, box by box."""

EXERCISE = "04.1"


def iou(a, b):
    shares = []
    for box in b.tolist():
        left, top, right, bottom = a.tolist()
        wide = max(0, min(right, box[2]) - max(left, box[0]))
        tall = max(0, min(bottom, box[3]) - max(top, box[1]))
        area = (right - left) * (bottom - top) + (box[2] - box[0]) * (box[3] - box[1])
        shares.append(wide * tall / (area - wide * tall))
    return shares
