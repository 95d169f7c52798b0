"""Each for itself."""

EXERCISE = "10.2"
MISTAKE = "uncorrected"


def holm(p, alpha):
    return [each < alpha for each in p]
