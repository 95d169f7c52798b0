"""One gap after the other."""

EXERCISE = "05.4"


def owned(clean, triggered, control_clean, control_triggered):
    gaps = []
    for without, with_it in ((clean, triggered), (control_clean, control_triggered)):
        gaps.append(without - with_it)
    return gaps[0] - gaps[1]
