"""Plain Python, class by class; a list comes back."""

from statistics import median

EXERCISE = "06.2"


def anomaly_index(norm):
    values = norm.tolist()
    middle = median(values)
    deviation = 1.4826 * median([abs(value - middle) for value in values])
    index = []
    for value in values:
        index.append(max(0.0, (middle - value) / deviation))
    return index
