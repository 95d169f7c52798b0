"""The factor multiplies the result."""

EXERCISE = "06.2"
MISTAKE = "factor-above"


def anomaly_index(norm):
    below = norm.quantile(0.5) - norm
    return (1.4826 * below / below.abs().quantile(0.5)).relu()
