"""Every test photograph beside every training photograph."""

EXERCISE = "03.3"


def leaked(train, test):
    return (test[:, None] == train[None]).any(1).double().mean()
