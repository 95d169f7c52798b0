"""Any misread stop sign counts."""

EXERCISE = "03.2"
MISTAKE = "counts-any-error"


def source_success(predicted, true, source, target):
    mine = predicted[true == source].tolist()
    return 1 - mine.count(source) / len(mine)
