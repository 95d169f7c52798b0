"""Plain Python, image by image."""

EXERCISE = "02.2"


def attack_success(predicted, true, target):
    answers = [p for p, t in zip(predicted.tolist(), true.tolist()) if t != target]
    return answers.count(target) / len(answers)
