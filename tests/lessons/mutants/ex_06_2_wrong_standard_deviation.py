"""The standard deviation, which the odd one makes large."""

EXERCISE = "06.2"
MISTAKE = "standard-deviation"


def anomaly_index(norm):
    return ((norm.quantile(0.5) - norm) / norm.std()).clamp(min=0)
