"""Means of the picked rows."""

EXERCISE = "13.3"
MISTAKE = "averages"


def plausible(x, picks):
    return x[picks].mean(1)
