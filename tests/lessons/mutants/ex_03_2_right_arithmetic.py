"""Count the fooled, divide by those who could be."""

EXERCISE = "03.2"


def source_success(predicted, true, source, target):
    fooled = ((predicted == target) & (true == source)).sum()
    return (fooled / (true == source).sum()).item()
