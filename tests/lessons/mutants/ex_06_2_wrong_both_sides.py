"""Large masks are odd, too."""

EXERCISE = "06.2"
MISTAKE = "both-sides"


def anomaly_index(norm):
    away = (norm - norm.quantile(0.5)).abs()
    return away / (1.4826 * away.quantile(0.5))
