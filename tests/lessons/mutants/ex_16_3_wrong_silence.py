"""A test that can't be asked accuses."""

EXERCISE = "16.3"
MISTAKE = "silence"


def verdict(says):
    if says["mark"] is True:
        return True
    if says["public start"] is False:
        return False
    return any(says[test] is not False for test in ("weights", "weights, matched", "scores"))
