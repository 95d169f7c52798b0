"""What is above one half, stretched."""

EXERCISE = "08.4"
MISTAKE = "straight-line"


def capacity(n, rate):
    return n * (rate - 0.5) / 0.5
