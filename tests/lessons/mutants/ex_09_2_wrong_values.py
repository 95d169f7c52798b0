"""How loud they are, not which they are."""

EXERCISE = "09.2"
MISTAKE = "values"


def sleepiest(heard, ratio):
    answers = sorted(heard.transpose(0, 1).flatten(1).mean(1).tolist())
    return answers[: int(ratio * len(answers))]
