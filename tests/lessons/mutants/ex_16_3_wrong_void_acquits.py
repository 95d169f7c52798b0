"""Without a mark everybody is acquitted."""

EXERCISE = "16.3"
MISTAKE = "void-acquits"


def verdict(says):
    return says["mark"] is True
