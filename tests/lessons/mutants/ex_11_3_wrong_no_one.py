"""The image itself isn't counted."""

EXERCISE = "11.3"
MISTAKE = "no-one"


def caught(members, strangers, alarms):
    as_small = (strangers[None] <= members[:, None]).sum(1)
    p = as_small.double() / len(strangers)
    return (p <= alarms).double().mean().item()
