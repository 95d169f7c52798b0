"""Public first weights are not asked for."""

EXERCISE = "16.3"
MISTAKE = "public-unread"


def verdict(says):
    if says["mark"] is True:
        return True
    return any(says[test] is True for test in ("weights", "weights, matched", "scores"))
