"""The same four numbers, grouped by what was photographed."""

EXERCISE = "05.4"


def owned(clean, triggered, control_clean, control_triggered):
    return (clean + control_triggered) - (triggered + control_clean)
