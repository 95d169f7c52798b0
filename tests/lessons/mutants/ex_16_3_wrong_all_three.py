"""All three tests must accuse."""

EXERCISE = "16.3"
MISTAKE = "all-three"


def verdict(says):
    if says["mark"] is True:
        return True
    if says["public start"] is False:
        return False
    return all(says[test] is True for test in ("weights", "weights, matched", "scores"))
