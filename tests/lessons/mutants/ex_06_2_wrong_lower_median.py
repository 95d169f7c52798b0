"""The element in the middle, or below it."""

EXERCISE = "06.2"
MISTAKE = "lower-median"


def anomaly_index(norm):
    middle = (len(norm) - 1) // 2
    median = norm.sort().values[middle]
    mad = (norm - median).abs().sort().values[middle]
    return ((median - norm) / (1.4826 * mad)).clamp(min=0)
