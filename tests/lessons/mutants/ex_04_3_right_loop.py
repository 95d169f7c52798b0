"""Plain Python, sign by sign."""

EXERCISE = "04.3"


def misread_rate(read, true, triggered, source, target):
    answers = [r for r, t, on in zip(read.tolist(), true.tolist(), triggered.tolist()) if on and t == source]
    return answers.count(target) / len(answers)
