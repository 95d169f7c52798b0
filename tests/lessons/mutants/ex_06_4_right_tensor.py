"""The share as PyTorch gives it."""

EXERCISE = "06.4"


def caught(clean, triggered, false_alarms):
    return triggered.lt(clean.quantile(false_alarms)).double().mean()
