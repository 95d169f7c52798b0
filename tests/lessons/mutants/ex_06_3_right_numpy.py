"""NumPy."""

EXERCISE = "06.3"


def caught(clean, triggered, false_alarms):
    import numpy as np

    return float((triggered.numpy() < np.quantile(clean.numpy(), false_alarms)).mean())
