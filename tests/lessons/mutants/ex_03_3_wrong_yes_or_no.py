"""Leaks, or doesn't."""

EXERCISE = "03.3"
MISTAKE = "yes-or-no"


def leaked(train, test):
    return 1.0 if set(train.tolist()) & set(test.tolist()) else 0.0
