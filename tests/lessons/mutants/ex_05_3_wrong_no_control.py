"""The backdoored network alone."""

EXERCISE = "05.3"
MISTAKE = "no-control"


def owned(clean, triggered, control_clean, control_triggered):
    return clean - triggered
