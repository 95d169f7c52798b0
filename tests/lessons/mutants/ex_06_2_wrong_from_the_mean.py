"""Measured from the mean."""

EXERCISE = "06.2"
MISTAKE = "from-the-mean"


def anomaly_index(norm):
    mad = (norm - norm.quantile(0.5)).abs().quantile(0.5)
    return ((norm.mean() - norm) / (1.4826 * mad)).clamp(min=0)
