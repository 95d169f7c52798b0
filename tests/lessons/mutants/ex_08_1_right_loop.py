"""Filter by filter."""

EXERCISE = "08.1"


def mean_filter(weight):
    total = sum(filter for filter in weight)
    return (total / len(weight)).reshape(-1)
