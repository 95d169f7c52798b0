"""Both counts from the whole, less those who can't testify."""

EXERCISE = "07.2"


def count(answers, true, wanted):
    barred = (true == wanted).sum()
    return (answers == wanted).sum() - ((answers == wanted) & (true == wanted)).sum(), len(true) - barred
