"""NumPy."""

EXERCISE = "06.4"


def caught(clean, triggered, false_alarms):
    import numpy as np

    return float((triggered.numpy() < np.quantile(clean.numpy(), false_alarms)).mean())
