"""The high quantile."""

EXERCISE = "06.4"
MISTAKE = "wrong-tail"


def caught(clean, triggered, false_alarms):
    return (triggered < clean.quantile(1 - false_alarms)).float().mean().item()
