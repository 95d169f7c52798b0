"""The control's gap first."""

EXERCISE = "05.4"


def owned(clean, triggered, control_clean, control_triggered):
    anyway = control_clean - control_triggered
    return clean - triggered - anyway
