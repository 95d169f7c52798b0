"""The threshold comes from what it should catch."""

EXERCISE = "06.4"
MISTAKE = "threshold-from-the-triggered"


def caught(clean, triggered, false_alarms):
    return (triggered < triggered.quantile(false_alarms)).float().mean().item()
