"""A list of answers, the first that applies."""

EXERCISE = "09.3"


def decide(before, after, p_before, p_after):
    return [p_before >= 0.001, after < before - before / 10, p_after < 0.001, True].index(True)
