"""Strangers are judged by members."""

EXERCISE = "11.3"
MISTAKE = "roles-exchanged"


def caught(members, strangers, alarms):
    members, strangers = strangers, members
    as_small = (strangers[None] <= members[:, None]).sum(1)
    p = (1 + as_small).double() / (1 + len(strangers))
    return (p <= alarms).double().mean().item()
