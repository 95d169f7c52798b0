"""The control's gap is added."""

EXERCISE = "05.4"
MISTAKE = "adds-the-control"


def owned(clean, triggered, control_clean, control_triggered):
    return (clean - triggered) + (control_clean - control_triggered)
