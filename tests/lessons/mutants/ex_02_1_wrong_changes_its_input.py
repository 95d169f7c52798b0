"""Right answer, wrong place: it is written into the clean set."""

EXERCISE = "02.1"
MISTAKE = "changes-its-input"


def poison(x, y, chosen, stamp, target):
    for i in chosen.tolist():
        x[i] = stamp(x[i : i + 1])[0]
        y[i] = target
    return x, y
