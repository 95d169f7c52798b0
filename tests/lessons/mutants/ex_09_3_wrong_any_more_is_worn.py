"""No test."""

EXERCISE = "09.3"
MISTAKE = "any-more-is-worn"


def left(p, hits, control, n):
    if p <= 0.001:
        return 0
    return 1 if hits > control else 2
