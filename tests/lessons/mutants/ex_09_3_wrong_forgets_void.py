"""No look at the row before."""

EXERCISE = "09.3"
MISTAKE = "forgets-void"


def decide(before, after, p_before, p_after):
    if after < 0.9 * before:
        return 1
    return 2 if p_after < 0.001 else 3
