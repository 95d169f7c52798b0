"""Scores are not asked for."""

EXERCISE = "16.3"
MISTAKE = "no-scores"


def verdict(says):
    if says["mark"] is True:
        return True
    if says["public start"] is False:
        return False
    return any(says[test] is True for test in ("weights", "weights, matched"))
