"""The high quantile."""

EXERCISE = "06.3"
MISTAKE = "wrong-tail"


def caught(clean, triggered, false_alarms):
    return (triggered < clean.quantile(1 - false_alarms)).float().mean().item()
