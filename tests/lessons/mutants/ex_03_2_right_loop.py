"""Plain Python, sign by sign."""

EXERCISE = "03.2"


def source_success(predicted, true, source, target):
    answers = [p for p, t in zip(predicted.tolist(), true.tolist()) if t == source]
    return answers.count(target) / len(answers)
