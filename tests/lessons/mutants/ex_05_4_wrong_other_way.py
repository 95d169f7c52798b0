"""The control's gap minus the backdoored one's."""

EXERCISE = "05.4"
MISTAKE = "other-way"


def owned(clean, triggered, control_clean, control_triggered):
    return (control_clean - control_triggered) - (clean - triggered)
