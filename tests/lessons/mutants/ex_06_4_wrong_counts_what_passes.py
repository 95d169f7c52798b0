"""The share that passes."""

EXERCISE = "06.4"
MISTAKE = "counts-what-passes"


def caught(clean, triggered, false_alarms):
    return (triggered >= clean.quantile(false_alarms)).float().mean().item()
