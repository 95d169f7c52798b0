"""Asks it of the training photographs."""

EXERCISE = "03.3"
MISTAKE = "other-way"


def leaked(train, test):
    asked = set(test.tolist())
    return sum(sign in asked for sign in train.tolist()) / len(train)
