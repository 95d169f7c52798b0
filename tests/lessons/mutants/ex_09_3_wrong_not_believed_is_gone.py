"""No look at the control."""

EXERCISE = "09.3"
MISTAKE = "not-believed-is-gone"


def left(p, hits, control, n):
    return 0 if p <= 0.001 else 2
