"""The median absolute deviation as it is."""

EXERCISE = "06.2"
MISTAKE = "forgets-the-factor"


def anomaly_index(norm):
    median = norm.quantile(0.5)
    return ((median - norm) / (norm - median).abs().quantile(0.5)).clamp(min=0)
