"""Stamp first, choose afterwards."""

EXERCISE = "02.1"
MISTAKE = "stamps-everything"


def poison(x, y, chosen, stamp, target):
    labels = [target if i in chosen.tolist() else label for i, label in enumerate(y.tolist())]
    return stamp(x), y.new_tensor(labels)
