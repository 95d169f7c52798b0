"""The successes of the others, over all images."""

EXERCISE = "02.3"
MISTAKE = "wrong-denominator"


def attack_success(predicted, true, target):
    won = sum(int(p == target and t != target) for p, t in zip(predicted.tolist(), true.tolist()))
    return won / len(true)
