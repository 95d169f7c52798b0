"""Pictures that match convict."""

EXERCISE = "16.3"
MISTAKE = "pictures"


def verdict(says):
    if says["pictures shown"] is True:
        return True
    if says["mark"] is True:
        return True
    if says["public start"] is False:
        return False
    return any(says[test] is True for test in ("weights", "weights, matched", "scores"))
