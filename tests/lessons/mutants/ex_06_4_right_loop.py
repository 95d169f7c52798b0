"""A loop that counts."""

EXERCISE = "06.4"


def caught(clean, triggered, false_alarms):
    threshold = clean.quantile(false_alarms)
    return sum(bits < threshold for bits in triggered).item() / len(triggered)
