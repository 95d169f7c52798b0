"""Two networks on triggered signs; what they do on clean ones is forgotten."""

EXERCISE = "05.4"
MISTAKE = "only-the-triggered"


def owned(clean, triggered, control_clean, control_triggered):
    return control_triggered - triggered
