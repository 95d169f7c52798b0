"""Public first weights excuse a mark."""

EXERCISE = "16.3"
MISTAKE = "public-first"


def verdict(says):
    if says["public start"] is False:
        return False
    if says["mark"] is True:
        return True
    return any(says[test] is True for test in ("weights", "weights, matched", "scores"))
