"""The share that passes."""

EXERCISE = "06.3"
MISTAKE = "counts-what-passes"


def caught(clean, triggered, false_alarms):
    return (triggered >= clean.quantile(false_alarms)).float().mean().item()
