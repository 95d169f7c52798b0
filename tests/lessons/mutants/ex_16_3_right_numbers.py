"""1 and 0, and None as 0."""

EXERCISE = "16.3"


def verdict(says):
    if says["mark"]:
        return 1
    if says["public start"] is False:
        return 0
    return int(sum(bool(says[test]) for test in ("weights", "weights, matched", "scores")) > 0)
