"""One expression."""

EXERCISE = "16.3"


def verdict(says):
    others = (says["weights"], says["weights, matched"], says["scores"])
    return says["mark"] is True or (says["public start"] is None and True in others)
