"""Signs instead of photographs."""

EXERCISE = "03.3"
MISTAKE = "counts-signs"


def leaked(train, test):
    seen, asked = set(train.tolist()), set(test.tolist())
    return len(seen & asked) / len(asked)
