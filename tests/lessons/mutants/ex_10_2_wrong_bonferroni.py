"""All shares alike."""

EXERCISE = "10.2"
MISTAKE = "bonferroni"


def holm(p, alpha):
    return p * len(p) < alpha
