"""Everybody testifies."""

EXERCISE = "07.2"
MISTAKE = "counts-the-true-class"


def count(answers, true, wanted):
    return sum(a == w for a, w in zip(answers.tolist(), wanted.tolist(), strict=True)), len(wanted)
