"""The formula as printed: 0 times log 0."""

EXERCISE = "06.3"
MISTAKE = "nan"


def entropy(p):
    return -(p * p.log2()).sum(2).mean(1)
