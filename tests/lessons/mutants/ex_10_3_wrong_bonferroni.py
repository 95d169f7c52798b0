"""All shares alike."""

EXERCISE = "10.3"
MISTAKE = "bonferroni"


def holm(p, alpha):
    return p * len(p) < alpha
