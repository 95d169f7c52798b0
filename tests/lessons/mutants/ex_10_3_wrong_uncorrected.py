"""Each for itself."""

EXERCISE = "10.3"
MISTAKE = "uncorrected"


def holm(p, alpha):
    return [each < alpha for each in p]
