"""The misses in place of the hits."""

EXERCISE = "07.2"
MISTAKE = "misses-first"


def count(answers, true, wanted):
    others = true != wanted
    return others.sum() - (answers[others] == wanted[others]).sum(), others.sum()
