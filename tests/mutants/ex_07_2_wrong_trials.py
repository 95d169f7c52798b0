"""Left out above, not below."""

EXERCISE = "07.2"
MISTAKE = "wrong-trials"


def count(answers, true, wanted):
    return ((answers == wanted) & (true != wanted)).sum(), len(answers)
