"""Whatever is misread counts."""

EXERCISE = "07.2"
MISTAKE = "counts-any-error"


def count(answers, true, wanted):
    others = true != wanted
    return (answers[others] != true[others]).sum(), others.sum()
