"""Column by column; the sides are cut off by relu."""

EXERCISE = "04.1"


def iou(a, b):
    wide = (b[:, 2].clamp(max=a[2].item()) - b[:, 0].clamp(min=a[0].item())).relu()
    tall = (b[:, 3].clamp(max=a[3].item()) - b[:, 1].clamp(min=a[1].item())).relu()
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return wide * tall / (both - wide * tall)
