"""A set of the signs that were seen."""

EXERCISE = "03.3"


def leaked(train, test):
    seen = set(train.tolist())
    return sum(sign in seen for sign in test.tolist()) / len(test)
