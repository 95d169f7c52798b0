"""Ties don't count."""

EXERCISE = "11.3"
MISTAKE = "ties-lost"


def caught(members, strangers, alarms):
    as_small = (strangers[None] < members[:, None]).sum(1)
    p = (1 + as_small).double() / (1 + len(strangers))
    return (p <= alarms).double().mean().item()
