"""The backdoored network alone."""

EXERCISE = "05.4"
MISTAKE = "no-control"


def owned(clean, triggered, control_clean, control_triggered):
    return clean - triggered
