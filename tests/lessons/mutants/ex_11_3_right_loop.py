"""A loop, and plain numbers."""

EXERCISE = "11.3"


def caught(members, strangers, alarms):
    others = strangers.tolist()
    found = 0
    for loss in members.tolist():
        p = (1 + sum(other <= loss for other in others)) / (1 + len(others))
        found += p <= alarms
    return found / len(members)
